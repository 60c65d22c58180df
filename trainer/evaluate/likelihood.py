"""What the model itself finds likely: bits per character, membership, attribution, and whether context helps."""

import math
import random
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy

from engine.numerics import autocast
from persona.bundle import Seal
from persona.encoding import Encoding
from persona.transcript import Conversation, Turn
from trainer.evaluate.intervals import Figure, Numbers, bootstrap
from trainer.evaluate.reply_context import ReplyContext
from trainer.evaluate.two_sample import area
from trainer.loop.batches import LengthGroupedSampler, Window, collate, windows_of
from trainer.loop.loss import CHUNK, IGNORE_INDEX

CANDIDATES = 10  # answers among which the real one is to be found
RELEVANCE_TURNS = 4  # turns before an answer that relevance is measured with


class Scorer(Protocol):
    """Tells how likely turns are."""

    def nats(self, asked: Sequence[tuple[ReplyContext, Turn]], *, tuned: bool = True) -> Numbers:
        """Return the loss in nats of each turn, said by the persona in that context."""


@dataclass(frozen=True, slots=True)
class LikelihoodScorer:
    """Scores texts with the adapter and without. model: unmerged, so that both can be asked."""

    model: PeftModel
    encoding: Encoding
    seal: Seal

    def nats(self, asked: Sequence[tuple[ReplyContext, Turn]], *, tuned: bool = True) -> Numbers:
        """Return the loss in nats of each turn, said by the persona in that context."""
        return _losses(self.model, [self._window(*pair) for pair in asked], self.encoding.end_of_turn, tuned)

    def nats_of_parts(self, asked: Sequence[tuple[ReplyContext, int, int]], *, tuned: bool = True) -> Numbers:
        """Return the loss in nats of a part of each real reply, in characters from start to end, given all before it."""
        rows = [
            _part_only(self._window(context, context.real), self.encoding, start, end) for context, start, end in asked
        ]
        return _losses(self.model, rows, self.encoding.end_of_turn, tuned)

    def bits(self, asked: Sequence[tuple[ReplyContext, Turn]], *, tuned: bool = True) -> Numbers:
        """[n, 2]: bits of each turn and its characters, the end of the turn counting as one."""
        sizes = [len(turn.text) + 1 for _, turn in asked]
        return np.stack([self.nats(asked, tuned=tuned) / math.log(2), np.array(sizes, dtype=float)], axis=1)

    def _window(self, context: ReplyContext, turn: Turn) -> Window:
        """Return the occasion's context, its oldest turns left out until it fits, and the turn as the only target."""
        said = Turn(self.seal.speaker, turn.lines, context.real.quote)
        before, year = context.before, context.year or self.seal.year
        while True:
            turns = [*before, said]
            if len(before) and before[-1].speaker == said.speaker:  # in a timeline: the loss is the last turn's alone
                turns = [*before[:-1], said]
            conversation = Conversation(context.scene, tuple(turns), year, context.memories)
            rows = windows_of(self.encoding, [conversation], frozenset({said.speaker}), self.seal.max_length)
            if not before or (len(rows) == 1 and len(rows[0].ids) <= self.seal.max_length):
                return _last_turn_only(rows[-1], self.encoding.end_of_turn)
            before = before[1:]


def bits_per_character(bits: Numbers) -> Figure:
    """Bits a character over texts [n, 2]: comparable across tokenizers."""
    return bootstrap(lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum()), bits)


def membership(trained: Numbers, held_out: Numbers) -> Figure:
    """P(loss on a training message < loss on a held-out one), bits a character of [n, 2] each; .5 is nothing leaked
    (Yeom et al., arXiv 1709.01604)."""
    rates = (held_out[:, 0] / held_out[:, 1], trained[:, 0] / trained[:, 1])
    return bootstrap(area, *rates)


def attribution(contexts: tuple[Numbers, Numbers], theirs: tuple[Numbers, Numbers]) -> Figure:
    """Return how often the adapter gains more, in bits a character over the base, on the persona's message than on
    another person's. mine, theirs: base and tuned bits [n, 2]."""
    gains = [(base[:, 0] - tuned[:, 0]) / base[:, 1] for base, tuned in (contexts, theirs)]
    return bootstrap(area, *gains)


def relevance(scorer: Scorer, asked: Sequence[ReplyContext], until: float, seed: int = 0) -> Figure | None:
    """R10@1: how often the real answer is found among ten of the persona's, by how much the context helps it (log
    p(answer | context) - log p(answer)); .1 is chance. None if there is no context, or hardly any time."""
    rng = random.Random(seed)
    answers = [context for context in asked if context.before and context.before[-1].speaker != context.real.speaker]
    if len(answers) < CANDIDATES:
        return None
    hits: list[float] = []
    for context in rng.sample(answers, len(answers)):
        if time.monotonic() > until:
            break
        others = rng.sample([other for other in answers if other.text != context.text] or answers, CANDIDATES - 1)
        turns = [context.real, *(other.real for other in others)]
        context = replace(context, before=context.before[-RELEVANCE_TURNS:])
        alone = replace(context, before=(), memories=())
        gain = scorer.nats([(alone, turn) for turn in turns]) - scorer.nats([(context, turn) for turn in turns])
        hits.append(float(gain[0] > gain[1:].max()))
    return bootstrap(lambda some: float(some.mean()), np.array(hits)) if len(hits) >= CANDIDATES else None


def _last_turn_only(row: Window, end: int) -> Window:
    """Return the row with loss on its last turn alone."""
    ends = [place for place, i in enumerate(row.ids[:-1]) if i == end]
    start = ends[-1] + 1 if ends else 0
    return Window(row.ids, [target and place >= start for place, target in enumerate(row.loss_mask)], row.characters)


def _part_only(row: Window, encoding: Encoding, start: int, end: int) -> Window:
    """Return the row with loss on the ids alone that hold characters from start to end of its last turn."""
    places = [place for place, has_loss in enumerate(row.loss_mask) if has_loss][:-1]  # without the end of the turn
    ids = [row.ids[place] for place in places]
    ends = [len(encoding.completion(ids[: count + 1])) for count in range(len(ids))]
    begins = [0, *ends[:-1]]
    kept = {place for place, begin, stop in zip(places, begins, ends, strict=True) if begin < end and stop > start}
    return Window(row.ids, [place in kept for place in range(len(row.ids))], end - start)


@torch.inference_mode()
def _losses(model: PeftModel, rows: Sequence[Window], pad: int, tuned: bool) -> Numbers:
    """Nats of each row's targets."""
    nats = np.zeros(len(rows))
    lengths = [len(row.ids) for row in rows]
    budget = max(*lengths, CHUNK // int(model.config.vocab_size)) if rows else 1
    with nullcontext() if tuned else model.disable_adapter(), autocast(model.device):
        for picks in LengthGroupedSampler(lengths, budget, shuffle=False) if rows else ():
            batch = {name: tensor.to(model.device) for name, tensor in collate([rows[k] for k in picks], pad).items()}
            following = batch["labels"][:, 1:]
            places = (following != IGNORE_INDEX).any(0).nonzero().squeeze(-1)
            logits = model(input_ids=batch["input_ids"], use_cache=False, logits_to_keep=places).logits
            loss = cross_entropy(
                logits.flatten(0, 1).float(),
                following[:, places].flatten(),
                ignore_index=IGNORE_INDEX,
                reduction="none",
            )
            nats[picks] = loss.view(len(picks), -1).sum(1).cpu().numpy()
    return nats
