"""A bundle's voice on an engine: tweets and replies as lines. What is measured and what speaks both go through here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.base import EngineError, InferenceEngine, Request, complete
from persona.bundle import Seal
from persona.encoding import Encoding
from persona.guard import Guard
from persona.prompt import reply_prompt, tweet_prompt
from persona.sampling import SamplingParams
from persona.transcript import Turn, completion_lines

Hear = Callable[[tuple[str, ...]], object]

TRIES = 4  # a sample, and three more where it is empty or the guard objects; then silence


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks as the persona, or as another speaker the model heard. guard: asked about every text before it is said.
    Where `objections` is passed, why the guard objected is added to it, once a sample. Where `hear` is, it is told the
    lines so far, word by word, as far as the guard lets them pass; () takes them back."""

    engine: InferenceEngine
    encoding: Encoding
    seal: Seal
    sampling: SamplingParams
    guard: Guard = field(default_factory=Guard)

    async def tweet(
        self,
        seed: int,
        *,
        speaker: str = "",
        year: int | None = None,
        tuned: bool = True,
        objections: list[str] | None = None,
        hear: Hear | None = None,
    ) -> tuple[str, ...]:
        """The lines of a random tweet; empty where the model says nothing that may be said."""
        ids = tweet_prompt(self.encoding, self.seal, speaker=speaker, year=year)
        return await self._lines(ids, seed, "", None, tuned, objections, hear)

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
        objections: list[str] | None = None,
        hear: Hear | None = None,
    ) -> tuple[str, ...]:
        """The lines of an answer to the last of `turns`; empty where the model says nothing that may be said."""
        room = min(self.sampling.max_new_tokens, self.seal.max_length // 2)
        ids = reply_prompt(self.encoding, self.seal, scene, turns, room=room, speaker=speaker, year=year)
        return await self._lines(ids, seed, channel, deadline, tuned, objections, hear)

    async def _lines(
        self,
        ids: tuple[int, ...],
        seed: int,
        channel: str,
        deadline: float | None,
        tuned: bool,
        objections: list[str] | None,
        hear: Hear | None,
    ) -> tuple[str, ...]:
        for attempt in range(TRIES):
            if hear and attempt:
                hear(())
            request = Request(ids, self.sampling, seed + attempt * 1_000_003, channel, deadline, tuned)
            text, finish = await complete(self.engine, request, self._checked(hear) if hear else None)
            lines = completion_lines(text)
            objection = self._objection(lines)
            if lines and not objection:
                return lines
            if objection and objections is not None:
                objections.append(objection)
            if finish == "deadline":
                raise EngineError("the engine said nothing in time")
        return ()

    def _objection(self, lines: tuple[str, ...]) -> str:
        """What stands against saying this; "" for nothing. A line that ends with somebody's header goes on as theirs: a
        model that never ended its turn is not worth cutting."""
        headers = tuple(f"{key}:" for key in self.seal.speakers)
        return self.guard.check("\n".join(lines)) or ("header" if any(one.endswith(headers) for one in lines) else "")

    def _checked(self, hear: Hear) -> Callable[[str], None]:
        """Tells `hear` the whole words of a text that grows, unless the guard objects to them."""
        told: tuple[str, ...] = ()

        def tell(text: str) -> None:
            nonlocal told
            whole = text[: max(text.rfind(" "), text.rfind("\n")) + 1]
            lines = completion_lines(whole)
            if lines and lines != told and not self._objection(lines):
                told = lines
                hear(lines)

        return tell
