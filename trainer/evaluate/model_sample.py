"""What figures of the adapter itself are measured on: its replies, its guard, and how likely it finds messages."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np

from engine.voice import Voice
from persona.archive.index import Archive
from persona.speaking_up import SpeakingUp
from trainer.corpus.newest import newest
from trainer.corpus.reply_times import ReplyDelay, clocks_of, reply_delays
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate import copying, likelihood, reply_rhythm
from trainer.evaluate.cloze import Cloze, cloze, facts_of
from trainer.evaluate.generation import GeneratedReply, generate, texts_of
from trainer.evaluate.intervals import Figure, Numbers, bootstrap
from trainer.evaluate.likelihood import LikelihoodScorer
from trainer.evaluate.next_speaker import TurnScores
from trainer.evaluate.reference_set import MIN_TEXTS, ReferenceSet
from trainer.evaluate.reply_context import (
    CONTEXT_TURNS,
    ReplyContext,
    evenly_spaced,
    reminded,
    reply_contexts,
    texts_by_speaker,
    unreminded,
)
from trainer.evaluate.trivial import LetterTable, shuffled
from trainer.evaluate.voice_ratio import among_speakers

SCORED_MESSAGES, SCORED_MESSAGES_SHORT = 400, 60  # whose loss is taken, if there is time; in the short form
LOSSES, LOSSES_SHARE = 6, 0.6  # so many losses a message, other people's and training's too; of the time that is left
TEXTS_PER_SPEAKER = 100  # texts of each further tuned speaker


@dataclass(frozen=True)
class ModelSample:
    """One adapter under test. scorer: None if too little was held out. full: the long form. until: on time.monotonic()'s
    clock. turns: of the test split. speaking_up: when it speaks unasked. archive: what comes to mind is from. context_turns:
    before a reply that are read. Losses are computed once, and only if a figure asks for them. left_out: whose losses there
    was no time for."""

    corpus: Corpus
    voice: Voice
    references: ReferenceSet
    replies: Sequence[GeneratedReply]
    scorer: LikelihoodScorer | None
    full: bool
    until: float
    turns: TurnScores | None = None
    speaking_up: SpeakingUp | None = None
    archive: Archive = field(default_factory=Archive.empty)
    context_turns: int = CONTEXT_TURNS
    left_out: list[str] = field(default_factory=list)

    def bits_per_character(self) -> Figure | None:
        """Return the bits per character of held-out messages."""
        return likelihood.bits_per_character(self._tuned) if self.scorer else None

    def bits_per_character_base(self) -> Figure | None:
        """Return the same without the adapter."""
        return likelihood.bits_per_character(self._plain) if self.scorer else None

    def bits_per_character_trivial(self) -> Figure | None:
        """Return the same by a table of letters, made of what the adapter learned from, the persona's messages first."""
        if not self.scorer:
            return None
        learned, seal = self.corpus.in_split(TRAIN), self.voice.seal
        limit = 0 if seal.base.from_scratch else int(seal.data.get("limit", 0))  # a grown base has read them all
        said = texts_by_speaker(newest(learned, {self._me}, limit) if limit else learned)
        mine, others = said.pop(self._me, []), chain.from_iterable(said.values())
        table = LetterTable(chain(mine, others))
        return likelihood.bits_per_character(table.bits([context.text for context in self._contexts]))

    def new_pairs_shuffled(self) -> Figure | None:
        """Return the share of new pairs in the persona's own messages, shuffled; None on a pretrained base, which knows
        pairs of words that no training message has."""
        if not self.voice.seal.base.from_scratch:
            return None
        return copying.new_pairs(shuffled(self.references.real), self.references.training)

    def membership(self) -> Figure | None:
        """Return how often a training message is likelier than a held-out one; None if there is no time for it."""
        if not (self.scorer and self._has_time_for("training messages", 1)):
            return None
        trained = evenly_spaced(reply_contexts(self.corpus.in_split(TRAIN), self._me), len(self._contexts))
        return likelihood.membership(self._bits(self._reminded(trained)), self._tuned)

    def attribution(self) -> Figure | None:
        """Return how often the adapter gains more on the persona's messages than on other people's; None if there is no time
        for it."""
        split = self.corpus.in_split(TEST_SPLIT)
        others = [context for name in self.references.others for context in reply_contexts(split, name)]
        if not (self.scorer and others and self._has_time_for("other people's messages", 2)):
            return None
        asked = self._reminded(evenly_spaced(others, len(self._contexts)))
        return likelihood.attribution((self._plain, self._tuned), (self._bits(asked, tuned=False), self._bits(asked)))

    def relevance(self) -> Figure | None:
        """Return how often the real answer is found among ten by its question, and by what came to mind."""
        return self._relevance(self.references.contexts)

    def relevance_unreminded(self) -> Figure | None:
        """Return the same without memories; None if nothing came to mind."""
        contexts = self.references.contexts
        return self._relevance([*map(unreminded, contexts)]) if any(each.memories for each in contexts) else None

    def fact_nats(self) -> Figure | None:
        """Return the nats of a fact that was said before, without a memory."""
        return self._cloze.nats if self._cloze else None

    def fact_gain(self) -> Figure | None:
        """Return how many nats the window that holds a fact saves."""
        return self._cloze.gain if self._cloze else None

    def fact_harm(self) -> Figure | None:
        """Return how many nats a window costs that doesn't hold it."""
        return self._cloze.harm if self._cloze else None

    def fact_recalled(self) -> Figure | None:
        """Return how often a window that holds a fact comes to mind."""
        return self._cloze.found if self._cloze else None

    def guard_objects(self) -> Figure | None:
        """Return the share of texts that the guard holds back."""
        return _share([bool(self.voice.guard.check(text)) for text in self._unguarded])

    def guard_silences(self) -> Figure | None:
        """Return the share of replies that end in silence, whatever is sampled."""
        return _share([bool(reply.unguarded) and not reply.lines for reply in self.replies])

    def guard_blocks_real(self) -> Figure | None:
        """Return the share of the person's real messages that the guard would hold back."""
        return _share([bool(self.voice.guard.check(text)) for text in self.references.real])

    def copy8_unguarded(self) -> Figure | None:
        """Return copy8 of the texts before the guard."""
        return copying.copy_share(self._unguarded, self.references.training) if self._unguarded else None

    def full_unguarded(self) -> Figure | None:
        """Return the share of whole training messages among the texts before the guard."""
        return copying.whole_share(self._unguarded, self.references.training) if self._unguarded else None

    def voice_ratio_among_speakers(self) -> Figure | None:
        """Return the ratio over all speakers that were tuned, None if there are not several."""
        split = self.corpus.in_split(TEST_SPLIT)
        tuned = [key for key, speaker in self.voice.seal.speakers.items() if speaker.tuned]
        asked = {key: evenly_spaced(reply_contexts(split, key), TEXTS_PER_SPEAKER) for key in tuned}
        asked = {key: contexts for key, contexts in asked.items() if len(contexts) >= MIN_TEXTS}
        if len(asked) < 2:
            return None
        generated = {key: texts_of(generate(self.voice, contexts, speaker=key)) for key, contexts in asked.items()}
        real, read = (
            {key: [context.text for context in reply_contexts(self.corpus.in_split(part), key)] for key in asked}
            for part in (TEST_SPLIT, CALIBRATION_SPLIT)
        )
        return among_speakers(real, generated, read)

    def turn_auc(self) -> Figure | None:
        """Return how well the model tells after whom the persona speaks."""
        return self.turns.auc(self.turns.log_probs) if self.turns else None

    def turn_auc_bigram(self) -> Figure | None:
        """Return the same by who spoke last alone."""
        return self.turns.auc(self.turns.bigrams) if self.turns else None

    def turn_share(self) -> Figure | None:
        """Return how often it would speak with [talk] unprompted = 1, as a share of how often the person did."""
        return self.turns.share(self.speaking_up.threshold(1.0)) if self.turns and self.speaking_up else None

    def delay_distance(self) -> Figure | None:
        """Return how far its delays are from the person's."""
        timing = self.voice.timing
        return reply_rhythm.delay_distance(timing, self._delays) if timing and timing.delays else None

    def delay_distance_fast(self) -> Figure | None:
        """Return the same for an answer that always comes at once."""
        return reply_rhythm.fast_distance(self._delays)

    @cached_property
    def _delays(self) -> Sequence[ReplyDelay]:
        clocks = clocks_of(self.corpus.conversations, self._me)
        return reply_delays(self.corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), self._me, clocks)

    @property
    def _me(self) -> str:
        return self.voice.seal.speaker

    @property
    def hurried(self) -> str:
        """Return a sentence if losses were taken of fewer messages than there are, for want of time, once all are measured."""
        count, most = len(self._contexts), min(self._most, len(self.references.contexts))
        of_fewer = [f"losses are of {count} held-out messages instead of {most}"] if count < most else []
        of_none = [f"no losses are of {' or '.join(self.left_out)}"] if self.left_out else []
        return f"{', and '.join([*of_fewer, *of_none])}, in the time there was" if of_fewer or of_none else ""

    @property
    def _most(self) -> int:
        return SCORED_MESSAGES if self.full else SCORED_MESSAGES_SHORT

    @property
    def _contexts(self) -> Sequence[ReplyContext]:
        return self._scored.contexts

    @property
    def _tuned(self) -> Numbers:
        return self._scored.bits

    def _has_time_for(self, whose: str, losses: int) -> bool:
        """Return whether so many losses of each of as many messages are in the long form or still fit; note whose if not."""
        fits = self.full or time.monotonic() + losses * self._scored.seconds <= self.until
        self.left_out.extend([] if fits else [whose])
        return fits

    @cached_property
    def _scored(self) -> "_Scored":
        """Return as many held-out messages as there is time for, evenly spaced, with their bits."""
        few = evenly_spaced(self.references.contexts, MIN_TEXTS)
        began = time.monotonic()
        bits = self._bits(few)
        now = time.monotonic()
        spent = max(now - began, 1e-9)
        count = int(min(LOSSES_SHARE * (self.until - now) / LOSSES * len(few) / spent, self._most))
        if count <= len(few):
            return _Scored(few, bits, spent)
        contexts = evenly_spaced(self.references.contexts, count)
        return _Scored(contexts, self._bits(contexts), spent * len(contexts) / len(few))

    @cached_property
    def _plain(self) -> Numbers:
        return self._bits(self._contexts, tuned=False)

    @cached_property
    def _unguarded(self) -> Sequence[str]:
        return ["\n".join(reply.unguarded) for reply in self.replies if reply.unguarded]

    def _relevance(self, contexts: Sequence[ReplyContext]) -> Figure | None:
        """Measure relevance within half of the time that is left: it is measured with memories and without."""
        now = time.monotonic()
        return likelihood.relevance(self.scorer, contexts, now + (self.until - now) / 2) if self.scorer else None

    @cached_property
    def _cloze(self) -> Cloze | None:
        if not (self.scorer and len(self.archive)):
            return None
        return cloze(self.scorer, facts_of(self.references.contexts, self.archive, self._me))

    def _reminded(self, contexts: Sequence[ReplyContext]) -> Sequence[ReplyContext]:
        """Return the contexts with what comes to mind, as the persona's held-out ones have it."""
        return reminded(contexts, self.archive, self.voice.encoding, self.voice.seal, self.context_turns)

    def _bits(self, contexts: Sequence[ReplyContext], *, tuned: bool = True) -> Numbers:
        assert self.scorer
        return self.scorer.bits([(context, context.real) for context in contexts], tuned=tuned)


@dataclass(frozen=True, slots=True)
class _Scored:
    """bits [n, 2] of the persona's real reply in each context, and the seconds that they took."""

    contexts: Sequence[ReplyContext]
    bits: Numbers
    seconds: float


def _share(hits: Sequence[bool]) -> Figure | None:
    return bootstrap(lambda some: float(some.mean()), np.array(hits, dtype=float)) if hits else None
