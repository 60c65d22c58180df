"""A bundle's voice on an engine: tweets and replies as lines. What is measured and what speaks both go through here."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.engine.base import Engine, EngineError, Request, complete
from persona.bundle import Seal
from persona.encoding import Encoding
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

    async def _lines(
        self, ids: tuple[int, ...], seed: int, channel: str, deadline: float | None, tuned: bool
    ) -> tuple[str, ...]:
        for attempt in range(TRIES):
            request = Request(ids, self.sampling, seed + attempt * 1_000_003, channel, deadline, tuned)
            text, finish = await complete(self.engine, request)
            if lines := completion_lines(text):
                return lines
            if finish == "deadline":
                raise EngineError("the engine said nothing in time")
        return ()
