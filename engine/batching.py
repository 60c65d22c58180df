"""Continuous batching: sequences join and leave between forward passes, each sampled by its own rules and seed.

Learned from Orca (iteration-level scheduling, OSDI 2022) and Sarathi-Serve (arXiv 2403.02310: a prompt is
read in chunks, beside the sequences that already decode).
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from engine.forward import Forward, RowInput
from engine.prefix_cache import Prefix, PrefixCache
from engine.sampler import apply_repetition_penalty, next_noise_seed, sample_tokens
from engine.stepper import Job, StepResult
from persona.events import Event
from persona.out_of_memory import is_out_of_memory

log = logging.getLogger("alterego.engine")

MAX_PREFILL_TOKENS = 512  # a step; decoding sequences wait for no more of other prompts where those go in by stretches
NO_NUMBER = (
    "what the model computes for this text is no number; in float16, as on cards before Ampere, ALTEREGO_BFLOAT16=1 in the "
    "environment mends it"
)


@dataclass(eq=False, slots=True)
class RunningSequence:
    """A job's progress. ids: its prompt and what was sampled. cached: how many of them have keys and values.
    is_decoding: whether its whole prompt is cached."""

    job: Job
    ids: list[int]
    rng: random.Random
    cached: int = 0
    generated: int = 0
    is_decoding: bool = False

    @property
    def pending(self) -> list[int]:
        """The ids that no forward pass has seen."""
        return self.ids[self.cached :]


class Batch:
    """Sequences that go through a model together. Decoding ones have the first rows; the others have chunks of their
    prompts read, in order. max_rows: fewer after memory ran out, one more with each job done."""

    def __init__(self, forward: Forward, prefixes: PrefixCache, max_rows: int, end_of_turn: int) -> None:
        self._forward = forward
        self._prefixes = prefixes
        self._max_rows = self._limit = max_rows
        self._end_of_turn = end_of_turn
        self._rows: list[RunningSequence] = []
        self._waiting: list[RunningSequence] = []

    @property
    def is_idle(self) -> bool:
        """Whether it has no job."""
        return not (self._rows or self._waiting)

    def add(self, job: Job) -> None:
        """Take a job in."""
        self._waiting.append(RunningSequence(job, list(job.request.ids), random.Random(job.request.seed)))

    @torch.inference_mode()
    def drop(self, job: Job) -> None:
        """Drop a job; its keys and values are kept as its channel's prefix."""
        self._waiting = [sequence for sequence in self._waiting if sequence.job is not job]
        row = next((row for row, sequence in enumerate(self._rows) if sequence.job is job), None)
        if row is None:
            return
        self._store_prefix(row)
        self._release_row(row)
        self._limit = min(self._max_rows, self._limit + 1)
        if not self._rows:
            self._forward.clear()

    @torch.inference_mode()
    def step(self) -> Iterable[StepResult]:
        """Run one forward pass: a token for every decoding sequence, and a chunk of waiting prompts."""
        try:
            self._admit_waiting()
            return self._run_step() if self._rows else ()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return self._recover(error)

    def _run_step(self) -> list[StepResult]:
        decode_rows = self._decode_rows
        inputs = self._row_inputs(decode_rows)
        logits = self._forward.run(inputs, decode_rows)
        ready: list[tuple[int, RunningSequence]] = []
        for number, row_input in enumerate(inputs):
            sequence = self._rows[row_input.row]
            sequence.cached += len(row_input.ids)
            if not sequence.pending:
                if not sequence.is_decoding and _channel(sequence):
                    self._forward.mark(row_input.row, sequence.cached)
                sequence.is_decoding = True
                ready.append((number, sequence))
        return self._results(logits[[number for number, _ in ready]], [sequence for _, sequence in ready])

    def _row_inputs(self, decode_rows: int) -> list[RowInput]:
        inputs = [
            RowInput(row, sequence.pending, sequence.cached) for row, sequence in enumerate(self._rows[:decode_rows])
        ]
        room = MAX_PREFILL_TOKENS
        for row, sequence in enumerate(self._rows[decode_rows:], start=decode_rows):
            if room <= 0:
                break
            count = len(sequence.pending) if self._forward.reads_whole else room
            inputs.append(RowInput(row, sequence.pending[:count], sequence.cached))
            room -= len(inputs[-1].ids)
        return inputs

    def _results(self, logits: torch.Tensor, sequences: list[RunningSequence]) -> list[StepResult]:
        """Return what the logits [sequences, vocabulary] bring each: a token, the likeliest ones, or a fault of its own."""
        results: list[StepResult] = []
        sampling: list[int] = []
        for place, is_number in enumerate(logits.amax(-1).isfinite().tolist()):
            sequence = sequences[place]
            if not is_number:
                sequence.cached = 0  # what was computed of it is kept for nobody
                results.append(StepResult(sequence.job, error=NO_NUMBER))
            elif sequence.job.likeliest:
                results.append(_likeliest(sequence.job, logits[place]))
            else:
                sampling.append(place)
        if 0 < len(sampling) < len(sequences):
            logits, sequences = logits[sampling], [sequences[place] for place in sampling]
        return results + (self._sampled(logits, sequences) if sampling else [])

    def _sampled(self, logits: torch.Tensor, sequences: list[RunningSequence]) -> list[StepResult]:
        for row, sequence in enumerate(sequences):
            penalty = sequence.job.request.sampling.repetition_penalty
            if penalty != 1.0 and (seen := {*sequence.ids} - {self._end_of_turn}):
                logits[row] = apply_repetition_penalty(logits[row], seen, penalty)
        tokens = sample_tokens(
            logits,
            [sequence.job.request.sampling for sequence in sequences],
            [next_noise_seed(sequence.rng) for sequence in sequences],
        )
        return [self._advanced(sequence, token) for sequence, token in zip(sequences, tokens, strict=True)]

    def _advanced(self, sequence: RunningSequence, token: int) -> StepResult:
        sequence.ids.append(token)
        sequence.generated += 1
        return StepResult(
            sequence.job, [token], "length" if sequence.generated >= sequence.job.max_new_tokens else None
        )

    @property
    def _decode_rows(self) -> int:
        return sum(sequence.is_decoding for sequence in self._rows)

    def _admit_waiting(self) -> None:
        """Give rows to waiting sequences, as far as the next forward pass takes their prompts."""
        room = MAX_PREFILL_TOKENS - sum(len(sequence.pending) for sequence in self._rows if not sequence.is_decoding)
        while self._waiting and room > 0 and len(self._rows) < self._limit:
            sequence = self._waiting[0]
            kept, sequence.cached = self._prefixes.find(_channel(sequence), sequence.ids)
            self._forward.start(len(self._rows), kept, sequence.cached)
            self._rows.append(self._waiting.pop(0))
            room -= len(sequence.pending)

    def _release_row(self, row: int) -> None:
        """Close the gap: the last decoding row moves into it, and the last of all to where that one was."""
        last = len(self._rows) - 1
        if row < (decode_rows := self._decode_rows) and decode_rows <= last:
            self._forward.release(row, decode_rows - 1)
            self._rows[row] = self._rows[decode_rows - 1]
            row = decode_rows - 1
        self._forward.release(row, last)
        self._rows[row] = self._rows[last]
        self._rows.pop()

    def _store_prefix(self, row: int) -> None:
        sequence = self._rows[row]
        if not (channel := _channel(sequence)) or not sequence.cached:
            return
        try:
            kept = self._forward.export(row, sequence.cached)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return  # a follow-up is slower then, no more
        if kept:
            self._prefixes.keep(channel, Prefix(tuple(sequence.ids[: sequence.cached]), kept))

    def _recover(self, error: Exception) -> list[StepResult]:
        """Go on with less: without cached prefixes, else with half as many rows. Sequences that had a row start again
        from what was sampled so far. A job that doesn't even fit alone fails."""
        if len(self._rows) <= 1 and not self._prefixes.bytes:
            return [StepResult(sequence.job, error=f"out of memory: {error}") for sequence in self._rows]
        if not self._prefixes.bytes:
            self._limit = max(1, len(self._rows) // 2)
        log.warning(Event("out of memory", rows=len(self._rows), next=self._limit, kept_bytes=self._prefixes.bytes))
        self._prefixes.clear()
        for sequence in self._rows:
            sequence.cached, sequence.is_decoding = 0, False
        self._waiting = [*self._rows, *self._waiting]
        self._rows = []
        self._forward.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return []


def _likeliest(job: Job, logits: torch.Tensor) -> StepResult:
    """Return the log-probabilities of the likeliest next ids [vocabulary]."""
    values, ids = logits.float().log_softmax(-1).topk(min(job.likeliest, len(logits)))
    return StepResult(job, log_probs=dict(zip(ids.tolist(), values.tolist(), strict=True)))


def _channel(sequence: RunningSequence) -> str:
    return sequence.job.request.channel if sequence.job.request.tuned else ""
