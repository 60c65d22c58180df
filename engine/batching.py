"""Continuous batching: sequences join and leave between forwards, each drawn for by its own rule and luck.

Learned from Orca (iteration-level scheduling, OSDI 2022) and Sarathi-Serve (arXiv 2403.02310: a prompt goes in by
stretches, beside those who already speak).
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from engine.packing import Forward, Part
from engine.prefix_cache import Prefix, PrefixCache
from engine.sampler import draw, next_luck, penalised
from engine.stepper import Advance, Job
from persona.events import Event

log = logging.getLogger("alterego.engine")

PROMPT_TOKENS_A_STEP = 512  # who speaks never waits for more of other people's prompts than this


@dataclass(eq=False, slots=True)
class Sequence:
    """A job's place in its completion. ids: its prompt and what was drawn. known: how many of them have keys and values.
    speaks: whether its prompt is behind it."""

    job: Job
    ids: list[int]
    luck: random.Random
    known: int = 0
    made: int = 0
    speaks: bool = False

    @property
    def pending(self) -> list[int]:
        """The ids that no forward has seen."""
        return self.ids[self.known :]


class Batch:
    """Sequences that go through a model together. Those who speak have the first rows; the others wait for stretches of
    their prompts to go in, in order. most: so many rows; fewer after the memory ran out, one more with each job done."""

    def __init__(self, forward: Forward, prefixes: PrefixCache, most: int, end_of_turn: int) -> None:
        self._forward = forward
        self._prefixes = prefixes
        self._most = self._limit = most
        self._end_of_turn = end_of_turn
        self._rows: list[Sequence] = []
        self._waiting: list[Sequence] = []

    def add(self, job: Job) -> None:
        """Take a job in."""
        self._waiting.append(Sequence(job, list(job.request.ids), random.Random(job.request.seed)))

    @torch.inference_mode()
    def drop(self, job: Job) -> None:
        """Let a job go, and keep what is known of its channel."""
        self._waiting = [one for one in self._waiting if one.job is not job]
        row = next((row for row, one in enumerate(self._rows) if one.job is job), None)
        if row is None:
            return
        self._keep_prefix(row)
        self._leave(row)
        self._limit = min(self._most, self._limit + 1)
        if not self._rows:
            self._forward.clear()

    @torch.inference_mode()
    def step(self) -> Iterable[Advance]:
        """One forward: a token for everybody who speaks, and some of the prompts of those who will."""
        try:
            self._join()
            return self._forwarded() if self._rows else ()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return self._shrunk(error)

    def _forwarded(self) -> list[Advance]:
        speaking = self._speaking
        parts = self._parts(speaking)
        logits = self._forward.run(parts, speaking)
        ready: list[tuple[int, Sequence]] = []
        for number, part in enumerate(parts):
            sequence = self._rows[part.row]
            sequence.known += len(part.ids)
            if not sequence.pending:
                sequence.speaks = True
                ready.append((number, sequence))
        return self._drawn(logits[[number for number, _ in ready]], [sequence for _, sequence in ready])

    def _parts(self, speaking: int) -> list[Part]:
        parts = [Part(row, one.pending, one.known) for row, one in enumerate(self._rows[:speaking])]
        room = PROMPT_TOKENS_A_STEP
        for row, one in enumerate(self._rows[speaking:], start=speaking):
            if room <= 0:
                break
            parts.append(Part(row, one.pending[:room], one.known))
            room -= len(parts[-1].ids)
        return parts

    def _drawn(self, logits: torch.Tensor, sequences: list[Sequence]) -> list[Advance]:
        if not sequences:
            return []
        for row, one in enumerate(sequences):
            penalty = one.job.request.sampling.repetition_penalty
            if penalty != 1.0 and (seen := {*one.ids} - {self._end_of_turn}):
                logits[row] = penalised(logits[row], seen, penalty)
        tokens = draw(
            logits, [one.job.request.sampling for one in sequences], [next_luck(one.luck) for one in sequences]
        )
        return [self._advanced(one, token) for one, token in zip(sequences, tokens, strict=True)]

    def _advanced(self, one: Sequence, token: int) -> Advance:
        one.ids.append(token)
        one.made += 1
        return Advance(one.job, [token], "length" if one.made >= one.job.cap else None)

    @property
    def _speaking(self) -> int:
        return sum(one.speaks for one in self._rows)

    def _join(self) -> None:
        """Give rows to those who wait, as far as their prompts go into the next forward."""
        room = PROMPT_TOKENS_A_STEP - sum(len(one.pending) for one in self._rows if not one.speaks)
        while self._waiting and room > 0 and len(self._rows) < self._limit:
            one = self._waiting[0]
            kept, one.known = self._prefixes.find(_channel(one), one.ids)
            self._forward.begin(len(self._rows), kept, one.known)
            self._rows.append(self._waiting.pop(0))
            room -= len(one.pending)

    def _leave(self, row: int) -> None:
        """Close the gap: the last who speaks moves into it, and the last of all to where that one was."""
        last = len(self._rows) - 1
        if row < (speaking := self._speaking) and speaking <= last:
            self._forward.leave(row, speaking - 1)
            self._rows[row] = self._rows[speaking - 1]
            row = speaking - 1
        self._forward.leave(row, last)
        self._rows[row] = self._rows[last]
        self._rows.pop()

    def _keep_prefix(self, row: int) -> None:
        one = self._rows[row]
        if not (channel := _channel(one)) or not one.known:
            return
        try:
            kept = self._forward.taken(row, one.known)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return  # a follow-up is slower then, no more
        if kept:
            self._prefixes.keep(channel, Prefix(tuple(one.ids[: one.known]), kept))

    def _shrunk(self, error: Exception) -> list[Advance]:
        """Go on with less: without what is kept of earlier requests, else with half as many rows. Whoever had a row
        begins again from what was drawn so far. A job that doesn't even fit alone fails."""
        if len(self._rows) <= 1 and not self._prefixes.bytes:
            return [Advance(one.job, error=f"out of memory: {error}") for one in self._rows]
        if not self._prefixes.bytes:
            self._limit = max(1, len(self._rows) // 2)
        log.warning(Event("out of memory", rows=len(self._rows), next=self._limit, kept_bytes=self._prefixes.bytes))
        self._prefixes.clear()
        for one in self._rows:
            one.known, one.speaks = 0, False
        self._waiting = [*self._rows, *self._waiting]
        self._rows = []
        self._forward.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return []


def _channel(one: Sequence) -> str:
    return one.job.request.channel if one.job.request.tuned else ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had no more memory to give; the CPU's allocator has no exception of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
