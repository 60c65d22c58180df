"""One evaluation: calibrate on judge A, reply to judge B's contexts, and put every figure beside its references."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.backends.transformers_engine import open_bundle_model, transformers_engine
from engine.choose import encoding_of, open_voice_of
from engine.dequantise import located_base
from engine.voice import Voice
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import PermanentError
from persona.guard import Guard
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate import copying, likelihood, markov
from trainer.evaluate.calibration import Trial, calibrate
from trainer.evaluate.generation import GeneratedReply, generate
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import LikelihoodScorer
from trainer.evaluate.metrics import ADVISED_MESSAGES, MIN_TEXTS, ReferenceSet, Row, reference_set, rows
from trainer.evaluate.reply_context import ReplyContext, reply_contexts, spread, texts_by_speaker
from trainer.evaluate.voice_ratio import Decisions, among_speakers
from trainer.progress import Advance, Bars

SCORED_MESSAGES, SCORED_MESSAGES_SHORT = 400, 60  # messages whose loss is taken; in the short form
TEXTS_PER_SPEAKER = 100  # texts of each further tuned speaker


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured. seconds: the approximate time. calibrating: choose the sampling too. full: with the references
    that take longer."""

    seconds: float
    calibrating: bool = False
    full: bool = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of a bundle. rows: of texts, the persona as `tuned` beside its references. figures: of the model rather than
    of texts. decisions: the judges' on `tuned`. replies: to judge B's contexts. trials: of the calibration, best first.
    warnings: sentences for the reader."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    figures: Mapping[str, Figure | None] = field(default_factory=dict)
    decisions: Decisions | None = None
    replies: Sequence[GeneratedReply] = ()
    trials: Sequence[Trial] = ()
    warnings: Sequence[str] = ()
    seconds: float = 0.0


def evaluate(settings: Settings, corpus: Corpus, bundle: Bundle, scope: Scope, bars: Bars) -> Evaluation:
    """Measure a bundle's voice. Raises PermanentError if the engine does not speak as the adapter does."""
    began = time.monotonic()
    with bars.task("evaluating", 1) as advance:
        return _Run(settings, corpus, bundle, scope, began, advance).evaluation()


class _Run:
    """The steps of one evaluation, each with its share of the time."""

    def __init__(
        self, settings: Settings, corpus: Corpus, bundle: Bundle, scope: Scope, began: float, advance: Advance
    ) -> None:
        self._settings = settings
        self._corpus = corpus
        self._bundle = bundle
        self._scope = scope
        self._began = began
        self._advance = advance
        self._me = bundle.seal.speaker

    def evaluation(self) -> Evaluation:
        """Run every step and return the evaluation."""
        training = copying.training_grams(
            text for texts in texts_by_speaker(self._corpus.in_split(TRAIN)).values() for text in texts
        )
        calibration, test = (
            reference_set(self._corpus.in_split(part), self._me, training, full=self._scope.full and part == TEST_SPLIT)
            for part in (CALIBRATION_SPLIT, TEST_SPLIT)
        )
        voice = open_voice_of(self._settings, self._bundle)
        trials = self._calibrated(voice, calibration, test)
        if trials:
            voice = replace(voice, sampling=trials[0].sampling)
        self._advance(0.1, "speaking")
        replies = generate(voice, test.contexts, until=self._until(0.6))
        more = self._among_speakers(voice) if self._scope.full else {}
        self._advance(0.2, "reading")
        scorer = self._reader() if len(test.contexts) >= MIN_TEXTS else None
        voices = self._voices(calibration, test, replies, scorer)
        figures = self._read(scorer, test) if scorer else {}
        self._advance(0.2, "judging")
        texts = texts_of(replies)
        return Evaluation(
            rows(test, voices),
            {**figures, **_guard_figures(voice.guard, replies, test.real, training), **more},
            test.judge.decisions(texts) if test.judge and texts else None,
            replies,
            trials,
            tuple(self._warnings(calibration, test, trials)),
            time.monotonic() - self._began,
        )

    def _until(self, share: float) -> float:
        return self._began + share * self._scope.seconds

    def _calibrated(self, voice: Voice, calibration: ReferenceSet, test: ReferenceSet) -> list[Trial]:
        if not self._scope.calibrating:
            return []
        self._advance(0.0, "calibrating")
        return calibrate(voice, calibration, test.real, self._until(0.4), lambda share: self._advance(0.4 * share))

    def _voices(
        self,
        calibration: ReferenceSet,
        test: ReferenceSet,
        replies: Sequence[GeneratedReply],
        scorer: LikelihoodScorer | None,
    ) -> dict[str, Sequence[str]]:
        """The texts of the imitation and of its references."""
        found: dict[str, Sequence[str]] = {"tuned": texts_of(replies), "human": calibration.real}
        if len(calibration.contexts) >= MIN_TEXTS:
            found["markov"] = self._markov(len(test.contexts))
        if test.others:
            found["another human"] = max(test.others.values(), key=len)
        if scorer and self._scope.full:
            found["base"] = texts_of(self._base(scorer, test.contexts))
        return found

    def _markov(self, count: int) -> list[str]:
        chain = markov.chain(one.text for one in reply_contexts(self._corpus.in_split(TRAIN), self._me))
        return [text for text in markov.sample_texts(chain, count) if text]

    def _among_speakers(self, voice: Voice) -> dict[str, Figure | None]:
        """The ratio over all speakers that were tuned, where there are several."""
        part = self._corpus.in_split(TEST_SPLIT)
        tuned = [key for key, one in self._bundle.seal.speakers.items() if one.tuned]
        asked = {key: spread(reply_contexts(part, key), TEXTS_PER_SPEAKER) for key in tuned}
        asked = {key: found for key, found in asked.items() if len(found) >= MIN_TEXTS}
        if len(asked) < 2:
            return {}
        generated = {key: texts_of(generate(voice, found, speaker=key)) for key, found in asked.items()}
        real, read = (
            {key: [one.text for one in reply_contexts(self._corpus.in_split(judge), key)] for key in asked}
            for judge in (TEST_SPLIT, CALIBRATION_SPLIT)
        )
        return {"voice_ratio_among_speakers": among_speakers(real, generated, read)}

    def _read(self, scorer: LikelihoodScorer, test: ReferenceSet) -> dict[str, Figure | None]:
        """What the model itself finds likely."""
        contexts = spread(test.contexts, SCORED_MESSAGES if self._scope.full else SCORED_MESSAGES_SHORT)
        trained = spread(reply_contexts(self._corpus.in_split(TRAIN), self._me), len(contexts))
        held_out = scorer.bits([(one, one.real) for one in contexts])
        plain = scorer.bits([(one, one.real) for one in contexts], tuned=False)
        found: dict[str, Figure | None] = {
            "bits_per_character": likelihood.bits_per_character(held_out),
            "bits_per_character_base": likelihood.bits_per_character(plain),
            "membership": likelihood.membership(scorer.bits([(one, one.real) for one in trained]), held_out),
        }
        others = [one for name in test.others for one in reply_contexts(self._corpus.in_split(TEST_SPLIT), name)]
        if others:
            asked = [(one, one.real) for one in spread(others, len(contexts))]
            theirs = scorer.bits(asked, tuned=False), scorer.bits(asked)
            found["attribution"] = likelihood.attribution((plain, held_out), theirs)
        if self._scope.full:
            found["relevance"] = likelihood.relevance(scorer, test.contexts, self._until(0.95))
        return found

    def _reader(self) -> LikelihoodScorer:
        model = open_bundle_model(self._bundle, str(located_base(self._settings)), merge=False)
        return LikelihoodScorer(model, encoding_of(self._bundle), self._bundle.seal)

    def _base(self, scorer: LikelihoodScorer, asked: Sequence[ReplyContext]) -> list[GeneratedReply]:
        """The base without the adapter, under the persona's header."""
        seal = self._bundle.seal
        engine = transformers_engine(
            scorer.model, scorer.encoding, stops=frozenset(seal.stops), max_length=seal.max_length
        )
        sampling = replace(open_voice_of(self._settings, self._bundle).sampling, temperature=1.0, top_p=1.0, min_p=0.0)
        voice = Voice(engine, scorer.encoding, seal, replace(sampling, max_new_tokens=80))
        return generate(voice, asked, tuned=False, until=self._until(0.7))

    def _warnings(self, calibration: ReferenceSet, test: ReferenceSet, trials: Sequence[Trial]) -> list[str]:
        name = self._settings.persona.name
        fewest = min(len(calibration.contexts), len(test.contexts))
        found = []
        if fewest < MIN_TEXTS:
            found.append(
                f"{name} has {fewest} messages for a judge, at least {MIN_TEXTS} are needed: nothing was measured"
            )
        elif fewest < 0.9 * ADVISED_MESSAGES:
            found.append(
                f"{name} has {fewest} messages for each judge; the intervals are wide, {ADVISED_MESSAGES} make them narrow"
            )
        if fewest >= MIN_TEXTS and not test.others:
            found.append("nobody else said enough to tell the persona from: no voice ratio, C2ST and copying only")
        too_few = [
            key for key, texts in texts_by_speaker(self._corpus.in_split(TEST_SPLIT)).items() if len(texts) < MIN_TEXTS
        ]
        if too_few and test.others:
            found.append(
                f"{len(too_few)} other speakers have fewer than {MIN_TEXTS} held-out messages and were left out"
            )
        if self._scope.calibrating and not trials and fewest >= MIN_TEXTS:
            found.append("too little was held out to choose a sampling by: the usual one is used")
        if trials and trials[0].violation > 0.005:
            found.append("no sampling kept all bounds (C2ST, distinct-2, length): the nearest was taken")
        if self._bundle.seal.data.get("refit"):
            found.append(
                "the adapter was trained on everything after it was measured: the figures are those from before"
            )
        return found


def texts_of(replies: Sequence[GeneratedReply]) -> list[str]:
    """Return the texts of the replies, silences left out."""
    return [one.text for one in replies if one.lines]


def check_engine(voice: Voice) -> str:
    """Return why the engine does not speak as the adapter does, "" if it does."""

    async def asked() -> None:
        try:
            await voice.engine.start()
        finally:
            await voice.engine.close()

    try:
        asyncio.run(asked())
    except PermanentError as fault:
        return str(fault)
    return ""


def _guard_figures(
    guard: Guard, replies: Sequence[GeneratedReply], real: Sequence[str], training: copying.TrainingGrams
) -> dict[str, Figure | None]:
    """What the guard holds back: of what the persona would say, of what the person did say, and what would get out."""
    unguarded = ["\n".join(one.unguarded) for one in replies if one.unguarded]
    if not unguarded or not real:
        return {}
    return {
        "guard_objects": _share([bool(guard.check(text)) for text in unguarded]),
        "guard_silences": _share([bool(one.unguarded) and not one.lines for one in replies]),
        "guard_blocks_real": _share([bool(guard.check(text)) for text in real]),
        "copy8_unguarded": copying.copy_share(unguarded, training),
        "full_unguarded": copying.whole_share(unguarded, training),
    }


def _share(hits: Sequence[bool]) -> Figure:
    return bootstrap(lambda some: float(some.mean()), np.array(hits, dtype=float))
