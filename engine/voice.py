"""A bundle's voice on an engine: tweets and replies as lines. Evaluation and bot both sample here."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from engine.base import EngineError, InferenceEngine, Request, complete, log_probability
from persona.archive.index import Archive
from persona.bundle import Seal
from persona.encoding import Encoding
from persona.guard import Guard
from persona.loops import goes_round
from persona.prompt import reply_prompt, tweet_prompt
from persona.reply_timing import ReplyTiming
from persona.sampling import SamplingParams
from persona.transcript import Excerpt, Quote, Turn
from persona.turn_lines import before_next_turn, completion_lines, whole_part

OnText = Callable[[tuple[str, ...]], object]

MAX_ATTEMPTS = 4  # a sample, and three more where it is empty or the guard objects; then silence


@dataclass(frozen=True, slots=True)
class Voice:
    """Samples texts of the persona, or of another speaker in the training data. guard: asked about every text. version: of
    the bundle, "" if it has none. timing: the person's times, None if it has none. archive: what may come to mind is from,
    None if nothing is.

    rejections: gets the guard's reason for each sample it refused. on_text: called with the lines so far, word by word,
    as far as the guard lets them pass; () takes them back."""

    engine: InferenceEngine
    encoding: Encoding
    seal: Seal
    sampling: SamplingParams
    guard: Guard = field(default_factory=Guard)
    version: str = ""
    timing: ReplyTiming | None = None
    archive: Archive | None = None

    async def tweet(
        self,
        seed: int,
        *,
        speaker: str = "",
        year: int | None = None,
        tuned: bool = True,
        rejections: list[str] | None = None,
        on_text: OnText | None = None,
    ) -> tuple[str, ...]:
        """Return the lines of a random tweet; empty if no sample passed the guard."""
        ids = tweet_prompt(self.encoding, self.seal, speaker=speaker, year=year)
        return await self._lines(ids, seed, "", None, tuned, rejections, on_text)

    async def next_speaker(
        self,
        scene: str,
        turns: Sequence[Turn],
        *,
        speaker: str = "",
        channel: str = "",
        deadline: float | None = None,
        least: float = -math.inf,
    ) -> float:
        """Return the log-probability (nats) that `speaker` (the persona) speaks next. Most of it is computed already if a
        reply in this channel was sampled before. least: see `log_probability`. Raises EngineError."""
        header = self.encoding.header(speaker or self.seal.speaker)
        telling = self._telling(header, {*self.seal.speakers, *(turn.speaker for turn in turns)})
        room = min(self.sampling.max_new_tokens, self.seal.max_length // 2)
        ids = reply_prompt(self.encoding, self.seal, scene, turns, room=room, speaker=speaker)[: -len(header)]
        request = Request(ids, self.sampling, 0, channel, deadline)
        return await log_probability(self.engine, request, telling, least=least)

    def _telling(self, header: tuple[int, ...], speakers: Iterable[str]) -> tuple[int, ...]:
        """Return a header's ids up to the first that no header of another speaker has there: what follows is certain."""
        others = {self.encoding.header(speaker) for speaker in speakers} - {header}
        return header[: 1 + max((_shared(header, other) for other in others), default=len(header))]

    async def reply(
        self,
        scene: str,
        turns: Sequence[Turn],
        seed: int,
        *,
        quote: Quote | None = None,
        memories: Sequence[Excerpt] = (),
        channel: str = "",
        deadline: float | None = None,
        speaker: str = "",
        year: int | None = None,
        tuned: bool = True,
        rejections: list[str] | None = None,
        on_text: OnText | None = None,
    ) -> tuple[str, ...]:
        """Return the lines of a reply to the last of `turns`, or to what `quote` says; empty if no sample passed the guard.
        memories: what comes to mind."""
        room = min(self.sampling.max_new_tokens, self.seal.max_length // 2)
        ids = reply_prompt(
            self.encoding,
            self.seal,
            scene,
            turns,
            room=room,
            quote=quote,
            memories=memories,
            speaker=speaker,
            year=year,
        )
        return await self._lines(ids, seed, channel, deadline, tuned, rejections, on_text)

    async def _lines(
        self,
        ids: tuple[int, ...],
        seed: int,
        channel: str,
        deadline: float | None,
        tuned: bool,
        rejections: list[str] | None,
        on_text: OnText | None,
    ) -> tuple[str, ...]:
        for attempt in range(MAX_ATTEMPTS):
            if on_text and attempt:
                on_text(())
            request = Request(ids, self.sampling, seed + attempt * 1_000_003, channel, deadline, tuned)
            shown = self._guarded(on_text) if on_text else None
            text, finish = await complete(self.engine, request, shown, before_next_turn)
            lines = completion_lines(whole_part(text) if finish == "length" else text)
            rejection = self._rejection(lines)
            if lines and not rejection:
                return lines
            if rejection and rejections is not None:
                rejections.append(rejection)
            if finish == "deadline":
                raise EngineError("the engine produced no text before the deadline")
        return ()

    def _rejection(self, lines: tuple[str, ...]) -> str:
        """Return why these lines may not be said; "" if they may. A line that ends with a speaker's header goes on as
        theirs: the model did not end its turn."""
        headers, text = tuple(f"{key}:" for key in self.seal.speakers), "\n".join(lines)
        if reason := self.guard.check(text):
            return reason
        if any(line.endswith(headers) for line in lines):
            return "header"
        return "loop" if goes_round(text) else ""

    def _guarded(self, on_text: OnText) -> Callable[[str], None]:
        """Wrap `on_text`: whole words alone, and only what the guard lets pass."""
        shown: tuple[str, ...] = ()

        def show(text: str) -> None:
            nonlocal shown
            whole = text[: max(text.rfind(" "), text.rfind("\n")) + 1]
            lines = completion_lines(whole)
            if lines and lines != shown and not self._rejection(lines):
                shown = lines
                on_text(lines)

        return show


def _shared(header: Sequence[int], other: Sequence[int]) -> int:
    """Return with how many same ids two headers begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(header, other, strict=False)))
