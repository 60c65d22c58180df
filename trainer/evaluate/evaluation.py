"""One evaluation: calibrate on judge A, speak on judge B's occasions, and put every figure beside its references."""

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
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import Reader
from trainer.evaluate.metrics import FEWEST, WANTED, Ground, Row, ground, rows
from trainer.evaluate.reply_context import Occasion, occasions, spread, texts_by_speaker
from trainer.evaluate.speaking import Spoken, speak
from trainer.evaluate.voice_ratio import Decisions, among_speakers
from trainer.progress import Advance, Bars

READ, READ_SHORT = 400, 60  # messages whose loss is taken; in the short form
A_SPEAKER = 100  # texts of each further tuned speaker


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is done. seconds: about how long it may take. calibrating: choose the sampling too. full: with the
    references that take longer."""

    seconds: float
    calibrating: bool = False
    full: bool = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found. rows: the persona as `tuned` and its references. figures: what is known of the model rather than of
    texts. decisions: the judges' on `tuned`. spoken: on judge B's occasions. trials: of the calibration, best first.
    warnings: sentences for the reader."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    figures: Mapping[str, Figure | None] = field(default_factory=dict)
    decisions: Decisions | None = None
    spoken: Sequence[Spoken] = ()
    trials: Sequence[Trial] = ()
    warnings: Sequence[str] = ()
    seconds: float = 0.0


def evaluate(settings: Settings, corpus: Corpus, bundle: Bundle, scope: Scope, bars: Bars) -> Evaluation:
    """Everything about the bundle's voice. Raises PermanentError where the engine does not speak as the adapter does."""
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
        """Do it all."""
        known = copying.known(
            text for texts in texts_by_speaker(self._corpus.in_split(TRAIN)).values() for text in texts
        )
        first, second = (
            ground(self._corpus.in_split(part), self._me, known, full=self._scope.full and part == TEST_SPLIT)
            for part in (CALIBRATION_SPLIT, TEST_SPLIT)
        )
        voice = open_voice_of(self._settings, self._bundle)
        trials = self._calibrated(voice, first, second)
        if trials:
            voice = replace(voice, sampling=trials[0].sampling)
        self._advance(0.1, "speaking")
        spoken = speak(voice, second.mine, until=self._until(0.6))
        more = self._among_speakers(voice) if self._scope.full else {}
        self._advance(0.2, "reading")
        reader = self._reader() if len(second.mine) >= FEWEST else None
        voices = self._voices(first, second, spoken, reader)
        figures = self._read(reader, second) if reader else {}
        self._advance(0.2, "judging")
        texts = said(spoken)
        return Evaluation(
            rows(second, voices),
            {**figures, **_guard_figures(voice.guard, spoken, second.real, known), **more},
            second.bench.decisions(texts) if second.bench and texts else None,
            spoken,
            trials,
            tuple(self._warnings(first, second, trials)),
            time.monotonic() - self._began,
        )

    def _until(self, share: float) -> float:
        return self._began + share * self._scope.seconds

    def _calibrated(self, voice: Voice, first: Ground, second: Ground) -> list[Trial]:
        if not self._scope.calibrating:
            return []
        self._advance(0.0, "calibrating")
        return calibrate(voice, first, second.real, self._until(0.4), lambda share: self._advance(0.4 * share))

    def _voices(
        self, first: Ground, second: Ground, spoken: Sequence[Spoken], reader: Reader | None
    ) -> dict[str, Sequence[str]]:
        """The texts of the imitation and of its references."""
        found: dict[str, Sequence[str]] = {"tuned": said(spoken), "human": first.real}
        if len(first.mine) >= FEWEST:
            found["markov"] = self._markov(len(second.mine))
        if second.others:
            found["another human"] = max(second.others.values(), key=len)
        if reader and self._scope.full:
            found["base"] = said(self._base(reader, second.mine))
        return found

    def _markov(self, count: int) -> list[str]:
        chain = markov.chain(one.text for one in occasions(self._corpus.in_split(TRAIN), self._me))
        return [text for text in markov.said_by(chain, count) if text]

    def _among_speakers(self, voice: Voice) -> dict[str, Figure | None]:
        """The ratio over all speakers that were tuned, where there are several."""
        part = self._corpus.in_split(TEST_SPLIT)
        tuned = [key for key, one in self._bundle.seal.speakers.items() if one.tuned]
        asked = {key: spread(occasions(part, key), A_SPEAKER) for key in tuned}
        asked = {key: found for key, found in asked.items() if len(found) >= FEWEST}
        if len(asked) < 2:
            return {}
        generated = {key: said(speak(voice, found, speaker=key)) for key, found in asked.items()}
        real, read = (
            {key: [one.text for one in occasions(self._corpus.in_split(judge), key)] for key in asked}
            for judge in (TEST_SPLIT, CALIBRATION_SPLIT)
        )
        return {"voice_ratio_among_speakers": among_speakers(real, generated, read)}

    def _read(self, reader: Reader, second: Ground) -> dict[str, Figure | None]:
        """What the model itself finds likely."""
        mine = spread(second.mine, READ if self._scope.full else READ_SHORT)
        trained = spread(occasions(self._corpus.in_split(TRAIN), self._me), len(mine))
        held_out = reader.bits([(one, one.real) for one in mine])
        plain = reader.bits([(one, one.real) for one in mine], tuned=False)
        found: dict[str, Figure | None] = {
            "bits_per_character": likelihood.bits_per_character(held_out),
            "bits_per_character_base": likelihood.bits_per_character(plain),
            "membership": likelihood.membership(reader.bits([(one, one.real) for one in trained]), held_out),
        }
        others = [one for name in second.others for one in occasions(self._corpus.in_split(TEST_SPLIT), name)]
        if others:
            asked = [(one, one.real) for one in spread(others, len(mine))]
            theirs = reader.bits(asked, tuned=False), reader.bits(asked)
            found["attribution"] = likelihood.attribution((plain, held_out), theirs)
        if self._scope.full:
            found["relevance"] = likelihood.relevance(reader, second.mine, self._until(0.95))
        return found

    def _reader(self) -> Reader:
        model = open_bundle_model(self._bundle, str(located_base(self._settings)), merge=False)
        return Reader(model, encoding_of(self._bundle), self._bundle.seal)

    def _base(self, reader: Reader, asked: Sequence[Occasion]) -> list[Spoken]:
        """The base without the adapter, under the persona's header."""
        seal = self._bundle.seal
        engine = transformers_engine(
            reader.model, reader.encoding, stops=frozenset(seal.stops), max_length=seal.max_length
        )
        sampling = replace(open_voice_of(self._settings, self._bundle).sampling, temperature=1.0, top_p=1.0, min_p=0.0)
        voice = Voice(engine, reader.encoding, seal, replace(sampling, max_new_tokens=80))
        return speak(voice, asked, tuned=False, until=self._until(0.7))

    def _warnings(self, first: Ground, second: Ground, trials: Sequence[Trial]) -> list[str]:
        name = self._settings.persona.name
        fewest = min(len(first.mine), len(second.mine))
        found = []
        if fewest < FEWEST:
            found.append(
                f"{name} has {fewest} messages for a judge, at least {FEWEST} are needed: nothing was measured"
            )
        elif fewest < 0.9 * WANTED:
            found.append(
                f"{name} has {fewest} messages for each judge; the intervals are wide, {WANTED} make them narrow"
            )
        if fewest >= FEWEST and not second.others:
            found.append("nobody else said enough to tell the persona from: no voice ratio, C2ST and copying only")
        too_few = [
            key for key, texts in texts_by_speaker(self._corpus.in_split(TEST_SPLIT)).items() if len(texts) < FEWEST
        ]
        if too_few and second.others:
            found.append(f"{len(too_few)} other speakers have fewer than {FEWEST} held-out messages and were left out")
        if self._scope.calibrating and not trials and fewest >= FEWEST:
            found.append("too little was held out to choose a sampling by: the usual one is used")
        if trials and trials[0].breach > 0.005:
            found.append("no sampling kept all bounds (C2ST, distinct-2, length): the nearest was taken")
        if self._bundle.seal.data.get("refit"):
            found.append(
                "the adapter was trained on everything after it was measured: the figures are those from before"
            )
        return found


def said(spoken: Sequence[Spoken]) -> list[str]:
    """The texts, silences left out."""
    return [one.text for one in spoken if one.lines]


def check_seam(voice: Voice) -> str:
    """Why the engine does not speak as the adapter does, "" where it does."""

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
    guard: Guard, spoken: Sequence[Spoken], real: Sequence[str], known: copying.Known
) -> dict[str, Figure | None]:
    """What the guard holds back: of what the persona would say, of what the person did say, and what would get out."""
    raw = ["\n".join(one.raw) for one in spoken if one.raw]
    if not raw or not real:
        return {}
    return {
        "guard_objects": _share([bool(guard.check(text)) for text in raw]),
        "guard_silences": _share([bool(one.raw) and not one.lines for one in spoken]),
        "guard_blocks_real": _share([bool(guard.check(text)) for text in real]),
        "copy8_unguarded": copying.copy_share(raw, known),
        "full_unguarded": copying.whole_share(raw, known),
    }


def _share(hits: Sequence[bool]) -> Figure:
    return bootstrap(lambda some: float(some.mean()), np.array(hits, dtype=float))
