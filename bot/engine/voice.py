"""A bundle's voice on an engine: tweets and replies as lines. What is measured and what speaks both go through here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from bot.engine.base import Engine, Request, complete
from persona.bundle import Seal
from persona.encoding import Encoding
from persona.fault import StandingFault
from persona.prompt import reply_prompt, tweet_prompt
from persona.sampling import Sampling
from persona.transcript import Turn, completion_lines

TRIES = 3  # samples before an empty completion is taken for silence


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks as the persona, or as another speaker the model heard."""

    engine: Engine
    encoding: Encoding
    seal: Seal
    sampling: Sampling

    async def tweet(
        self, seed: int, *, speaker: str = "", year: int | None = None, tuned: bool = True
    ) -> tuple[str, ...]:
        """The lines of a random tweet; empty where the model says nothing."""
        ids = tweet_prompt(self.encoding, self.seal, speaker=speaker, year=year)
        return await self._lines(ids, seed, "", None, tuned)

    async def reply(
        self,
        scene: str,
        turns: Sequence[Turn],
        seed: int,
        *,
        channel: str = "",
        deadline: float | None = None,
        speaker: str = "",
        year: int | None = None,
        tuned: bool = True,
    ) -> tuple[str, ...]:
        """The lines of an answer to the last of `turns`; empty where the model says nothing."""
        room = min(self.sampling.max_new_tokens, self.seal.max_length // 2)
        ids = reply_prompt(self.encoding, self.seal, scene, turns, room=room, speaker=speaker, year=year)
        return await self._lines(ids, seed, channel, deadline, tuned)

    async def check(self) -> None:
        """Ask the sealed probe. Raises StandingFault where the engine speaks like the base: a silently ignored adapter
        is a real failure of runtimes."""
        probe = self.seal.probe
        if probe is None:
            return
        greedy = Sampling(temperature=0.0, top_p=1.0, min_p=0.0, max_new_tokens=len(probe.tuned))
        text, _ = await complete(self.engine, Request(probe.ids, greedy, seed=0))
        tuned, base = (self.encoding.completion(ids) for ids in (probe.tuned, probe.base))
        if _alike(text, base) > _alike(text, tuned):
            raise StandingFault(f"the {self.engine.name} engine ignores the adapter; choose another [engine] kind")

    async def _lines(
        self, ids: tuple[int, ...], seed: int, channel: str, deadline: float | None, tuned: bool
    ) -> tuple[str, ...]:
        for attempt in range(TRIES):
            request = Request(ids, self.sampling, seed + attempt * 1_000_003, channel, deadline, tuned)
            text, _ = await complete(self.engine, request)
            if lines := completion_lines(text):
                return lines
        return ()


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common from the start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
