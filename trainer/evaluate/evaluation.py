"""One evaluation: calibrate on judge A, reply to judge B's contexts, and put every figure beside its references."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean

from engine.backends.transformers_engine import open_bundle_model, transformers_engine
from engine.base import InferenceEngine
from engine.bundle_base import located_base_of
from engine.choose import open_voice_of
from engine.voice import Voice
from persona.archive.index import Archive, archive_of
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import PermanentError
from persona.speaking_up import SpeakingUp
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate import markov
from trainer.evaluate.calibration import MIN_MESSAGES_TO_CALIBRATE, Trial, calibrate
from trainer.evaluate.copying import TrainingGrams, training_grams
from trainer.evaluate.figures import Row, model_figures, reply_figures, text_figures
from trainer.evaluate.generation import GeneratedReply, TimedReply, generate, prompt_ids, texts_of, timed
from trainer.evaluate.intervals import Figure
from trainer.evaluate.likelihood import LikelihoodScorer
from trainer.evaluate.model_sample import ModelSample
from trainer.evaluate.next_speaker import (
    MAX_POSITIONS,
    MIN_POSITIONS,
    MIN_SPOKEN,
    TurnScores,
    bigrams,
    calibrated,
    held_out_talk,
    positions,
    scored,
    speaking_rate,
)
from trainer.evaluate.reading_budget import FEWEST_REPLIES, Reading, reading_within
from trainer.evaluate.reference_set import ADVISED_MESSAGES, MIN_TEXTS, ReferenceSet, reference_set
from trainer.evaluate.reply_context import (
    CONTEXT_TURNS,
    ReplyContext,
    evenly_spaced,
    reminded,
    reply_contexts,
    texts_by_speaker,
)
from trainer.evaluate.reply_sample import ReplySample
from trainer.evaluate.rival.contest import RivalReplies
from trainer.evaluate.voice_ratio import Decisions
from trainer.progress import Advance, Bars

TURNS_SHARE = 0.1  # of the time, for who speaks next in each split


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured. seconds: the approximate time. tokens: that may be read, approximately. calibrating: choose the
    sampling too. full: with the references that take longer."""

    seconds: float
    tokens: float = math.inf
    calibrating: bool = False
    full: bool = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of a bundle. rows: of texts, the persona as `tuned` beside its references. figures: of the model rather than
    of texts. decisions: the judges' on `tuned`. replies: to judge B's contexts. trials: of the calibration, best first.
    speaking_up: calibrated too. turns: before each reply that were read. warnings: sentences for the reader. rival: what a
    large model answered; reply_rows: figures of its replies beside the persona's."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    figures: Mapping[str, Figure | None] = field(default_factory=dict)
    decisions: Decisions | None = None
    replies: Sequence[GeneratedReply] = ()
    trials: Sequence[Trial] = ()
    warnings: Sequence[str] = ()
    seconds: float = 0.0
    rival: RivalReplies | None = None
    reply_rows: Mapping[str, Row] = field(default_factory=dict)
    speaking_up: SpeakingUp | None = None
    turns: int = CONTEXT_TURNS


def opened(settings: Settings, bundle: Bundle, bars: Bars) -> Voice:
    """Return a bundle's voice, with a bar: a large model takes a minute to load."""
    with bars.task("opening the adapter", 1):
        return open_voice_of(settings, bundle)


def evaluate(
    settings: Settings,
    corpus: Corpus,
    bundle: Bundle,
    voice: Voice,
    scope: Scope,
    bars: Bars,
    rival: RivalReplies | None = None,
) -> Evaluation:
    """Measure a bundle's voice, beside a rival's if there is one. Raises PermanentError if the engine does not speak as the
    adapter does."""

    def open_scorer() -> LikelihoodScorer:
        model = open_bundle_model(bundle, str(located_base_of(bundle, settings)), merge=False)
        return LikelihoodScorer(model, voice.encoding, bundle.seal)

    began = time.monotonic()
    with bars.task("evaluating", 1) as advance, closing(archive_of(bundle)) as archive:
        name = settings.persona.name
        run = EvaluationRun(name, corpus, voice, open_scorer, scope, began, advance, rival, archive)
        return run.evaluation()


class EvaluationRun:
    """The steps of one evaluation, each with its share of the time. open_scorer: loads the model that losses are taken of,
    called if enough was held out. archive: the bundle's; None is an empty one."""

    def __init__(
        self,
        name: str,
        corpus: Corpus,
        voice: Voice,
        open_scorer: Callable[[], LikelihoodScorer | None],
        scope: Scope,
        began: float,
        advance: Advance,
        rival: RivalReplies | None = None,
        archive: Archive | None = None,
    ) -> None:
        self._name = name
        self._corpus = corpus
        self._voice = voice
        self._open_scorer = open_scorer
        self._scope = scope
        self._began = began
        self._told = advance
        self._done = self._shown = 0.0
        self._rival = rival
        self._me = voice.seal.speaker
        self._archive = archive or Archive.empty()

    def evaluation(self) -> Evaluation:
        """Choose the sampling on the calibration split, then measure everything on the test split."""
        calibration = self._reference_set(CALIBRATION_SPLIT, full=False)
        test = self._reference_set(TEST_SPLIT, full=self._scope.full)
        trials = self._calibrated(calibration, test)
        voice = replace(self._voice, sampling=trials[0].sampling) if trials else self._voice
        self._advance(0.1, "speaking")
        asked = evenly_spaced(test.contexts, int(min(self._reading.replies, len(test.contexts))))
        replies = generate(voice, asked, until=self._until(0.6), at_least=FEWEST_REPLIES)
        self._advance(0.2, "reading")
        speaking_up = self._speaking_up()
        turns = self._turns(TEST_SPLIT)
        scorer = self._open_scorer() if len(test.contexts) >= MIN_TEXTS else None
        voices = self._voices(calibration, test, replies, scorer)
        model = (scorer, self._scope.full, self._until(0.95))
        known = (turns, speaking_up, self._archive)
        sample = ModelSample(self._corpus, voice, test, replies, *model, *known, context_turns=self._reading.turns)
        figures = model_figures(sample)
        self._advance(0.2, "judging")
        texts = texts_of(replies)
        return Evaluation(
            text_figures(test, voices),
            figures,
            test.judge.decisions(texts) if test.judge and len(texts) >= MIN_TEXTS else None,
            replies,
            trials,
            (
                *self._warnings(calibration, test, trials, len(replies), speaking_up),
                *([sample.hurried] if scorer and sample.hurried else []),
                *(self._rival.warnings if self._rival else ()),
            ),
            time.monotonic() - self._began,
            self._rival,
            self._beside_the_rival(voice, replies, test, scorer),
            speaking_up,
            self._reading.turns,
        )

    def _beside_the_rival(
        self, voice: Voice, replies: Sequence[GeneratedReply], test: ReferenceSet, scorer: LikelihoodScorer | None
    ) -> dict[str, Row]:
        """Return figures of replies, of the persona, the rival and the person, if there is a rival."""
        if not self._rival:
            return {}
        real = [TimedReply(GeneratedReply(context, context.real.lines, ())) for context in test.contexts]
        voices = {"tuned": timed(voice, replies), "rival": self._rival.replies, "human": real}
        return reply_figures({name: ReplySample(said, scorer, self._me) for name, said in voices.items()})

    def _speaking_up(self) -> SpeakingUp | None:
        """Return when it speaks unasked: as sealed, or calibrated now."""
        if not self._scope.calibrating:
            return self._voice.seal.speaking_up
        rate = speaking_rate(self._corpus.in_split(TRAIN, CALIBRATION_SPLIT), self._me)
        return calibrated(self._turns(CALIBRATION_SPLIT), rate)

    def _turns(self, split: str) -> TurnScores | None:
        if self._positions_fall_short:
            return None
        until, most = time.monotonic() + TURNS_SHARE * self._scope.seconds, min(self._reading.positions, MAX_POSITIONS)
        return scored(self._voice, held_out_talk(self._corpus, split, self._me), self._bigram, until, int(most))

    @cached_property
    def _positions_fall_short(self) -> bool:
        """Whether fewer moments of group talk can be asked about than a threshold is calibrated by, though there are enough."""
        rate = speaking_rate(self._corpus.in_split(TRAIN, CALIBRATION_SPLIT), self._me)
        needed = max(MIN_POSITIONS, MIN_SPOKEN / max(rate, 1 / MAX_POSITIONS))
        held_out = positions(held_out_talk(self._corpus, CALIBRATION_SPLIT, self._me), self._me)
        return self._reading.positions < needed <= sum(map(len, held_out))

    @cached_property
    def _bigram(self) -> Callable[[str], float]:
        return bigrams(self._corpus.in_split(TRAIN), self._me)

    def _advance(self, share: float, note: str | None = None) -> None:
        """Tell how far it is: as much as was done, or as the time limit is near, so that the time left isn't overrated."""
        self._done += share
        passed = (time.monotonic() - self._began) / self._scope.seconds
        shown = max(self._done, min(passed, 1.0), self._shown)
        self._told(shown - self._shown, note)
        self._shown = shown

    def _until(self, share: float) -> float:
        return self._began + share * self._scope.seconds

    @cached_property
    def _training(self) -> TrainingGrams:
        texts_by = texts_by_speaker(self._corpus.in_split(TRAIN))
        return training_grams(text for texts in texts_by.values() for text in texts)

    def _reference_set(self, split: str, *, full: bool) -> ReferenceSet:
        references = reference_set(self._corpus.in_split(split), self._me, self._training, full=full)
        return replace(references, contexts=self._asked(references.contexts, self._reading.turns))

    def _asked(self, contexts: Sequence[ReplyContext], turns: int) -> list[ReplyContext]:
        return reminded(contexts, self._archive, self._voice.encoding, self._voice.seal, turns)

    @cached_property
    def _reading(self) -> Reading:
        held_out = reply_contexts(self._corpus.in_split(TEST_SPLIT), self._me)
        some = evenly_spaced(held_out, FEWEST_REPLIES)

        def usual_prompt_tokens(turns: int) -> float:
            return fmean(len(prompt_ids(self._voice, context)) for context in self._asked(some, turns))

        return reading_within(self._scope.tokens if some else math.inf, usual_prompt_tokens)

    def _calibrated(self, calibration: ReferenceSet, test: ReferenceSet) -> list[Trial]:
        if not self._scope.calibrating:
            return []
        self._advance(0.0, "calibrating")
        fits = self._reading.calibrating, self._until(0.4)
        return calibrate(self._voice, calibration, test.real, *fits, lambda share: self._advance(0.4 * share))

    def _voices(
        self,
        calibration: ReferenceSet,
        test: ReferenceSet,
        replies: Sequence[GeneratedReply],
        scorer: LikelihoodScorer | None,
    ) -> dict[str, Sequence[str]]:
        """Return the texts of the imitation and of its references."""
        voices: dict[str, Sequence[str]] = {"tuned": texts_of(replies), "human": calibration.real}
        if self._rival:
            voices["rival"] = texts_of([answer.reply for answer in self._rival.replies])
        if len(calibration.contexts) >= MIN_TEXTS:
            voices["markov"] = self._markov(len(test.contexts))
        if test.others:
            voices["another human"] = max(test.others.values(), key=len)
        if scorer and self._scope.full:
            voices["base"] = texts_of(self._base(scorer, test.contexts))
        return voices

    def _markov(self, count: int) -> list[str]:
        chain = markov.chain(context.text for context in reply_contexts(self._corpus.in_split(TRAIN), self._me))
        return [text for text in markov.sample_texts(chain, count) if text]

    def _base(self, scorer: LikelihoodScorer, contexts: Sequence[ReplyContext]) -> list[GeneratedReply]:
        """Return replies of the base without the adapter, under the persona's header."""
        seal = self._voice.seal
        engine = transformers_engine(
            scorer.model, scorer.encoding, stops=frozenset(seal.stops), max_length=seal.max_length
        )
        sampling = replace(self._voice.sampling, temperature=1.0, top_p=1.0, min_p=0.0, max_new_tokens=80)
        voice = Voice(engine, scorer.encoding, seal, sampling)
        return generate(voice, contexts, tuned=False, until=self._until(0.7))

    def _warnings(
        self,
        calibration: ReferenceSet,
        test: ReferenceSet,
        trials: Sequence[Trial],
        replies: int,
        speaking_up: SpeakingUp | None,
    ) -> list[str]:
        name = self._name
        fewest = min(len(calibration.contexts), len(test.contexts))
        sentences = []
        if fewest < MIN_TEXTS:
            sentences.append(
                f"{name} has {fewest} messages for a judge, at least {MIN_TEXTS} are needed: nothing was measured"
            )
        elif fewest < 0.9 * ADVISED_MESSAGES:
            sentences.append(
                f"{name} has {fewest} messages for each judge; the intervals are wide, {ADVISED_MESSAGES} make them narrow"
            )
        if fewest >= MIN_TEXTS and not test.others:
            sentences.append("nobody else said enough to tell the persona from: no voice ratio, C2ST and copying only")
        too_few = [
            key for key, texts in texts_by_speaker(self._corpus.in_split(TEST_SPLIT)).items() if len(texts) < MIN_TEXTS
        ]
        if too_few and test.others:
            sentences.append(
                f"{len(too_few)} other speakers have fewer than {MIN_TEXTS} held-out messages and were left out"
            )
        if self._scope.calibrating and not trials and fewest >= MIN_TEXTS:
            lacked = "was held out" if fewest < MIN_MESSAGES_TO_CALIBRATE or not test.others else "time was left"
            sentences.append(f"too little {lacked} to choose a sampling by: the usual one is used")
        if self._scope.calibrating and speaking_up is None and fewest >= MIN_TEXTS:
            lacked = "time was left" if self._positions_fall_short else "group talk was held out"
            sentences.append(f"too little {lacked} to learn when to speak unasked: it only answers")
        if (turns := self._reading.turns) < CONTEXT_TURNS and fewest >= MIN_TEXTS:
            last = f"the last {turns} turns" if turns > 1 else "the last turn"
            sentences.append(
                f"only {last} before each held-out message and no memories were read, in the time there was"
            )
        if replies < len(test.contexts):
            sentences.append(
                f"{replies} of {len(test.contexts)} held-out messages were answered in the time there was; "
                "'python -m trainer evaluate' answers them all"
            )
        if trials and trials[0].violation > 0.005:
            sentences.append(
                "no way of sampling that was tried is near enough in all of C2ST, distinct-2 and length at once: the nearest is "
                "used, and nothing has to be done"
            )
        if self._voice.seal.data.get("refit"):
            sentences.append(
                "the adapter was trained on everything after it was measured: the figures are those from before"
            )
        return sentences


def check_engine(engine: InferenceEngine) -> str:
    """Return why the engine does not speak as the adapter does, "" if it does."""

    async def asked() -> None:
        try:
            await engine.start()
        finally:
            await engine.close()

    try:
        asyncio.run(asked())
    except PermanentError as fault:
        return str(fault)
    return ""
