"""The end of every training: the short form of the evaluation, the calibrated sampling, the report and the gate."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from persona.bundle import CURRENT, Bundle, Seal, current
from persona.config import Settings
from persona.errors import PermanentError
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation, Scope, evaluate, opened
from trainer.evaluate.gate import GateVerdict, judge_bundle, unprobed
from trainer.evaluate.report.files import write_report
from trainer.evaluate.report.plain_figures import plain_figures
from trainer.progress import Bars

TRAINING_TIME_SHARE = 0.2  # of the training's time
GATE_TIME_SHARE = 0.2  # of that: what the adapter that speaks now gets, to be compared with
MIN_SECONDS = 30.0  # seconds
READS_FASTER = 2  # times as many tokens as are trained on in that time: what is learned from is read backwards too
CALIBRATED = ("temperature", "top_p", "min_p", "top_k", "repetition_penalty")  # what a calibration chooses


@dataclass(frozen=True, slots=True)
class Finalized:
    """A new bundle's evaluation and verdict. forced: it becomes current whatever the verdict."""

    evaluation: Evaluation
    verdict: GateVerdict
    forced: bool = False

    @property
    def becomes_current(self) -> bool:
        """Return whether the bundle becomes current."""
        return self.verdict.passes or self.forced

    def sealed(self, seal: Seal) -> Seal:
        """Return `seal` with what was calibrated, the figures and the verdict in it."""
        gate = {"passed": self.verdict.passes, "forced": self.forced and not self.verdict.passes}
        sentences = {"reasons": list(self.verdict.reasons), "notes": list(self.verdict.notes)}
        differences = {name: figure.plain for name, figure in self.verdict.differences.items()}
        metrics = {
            "likeness": plain_figures(self.evaluation),
            "gate": {**gate, **sentences, "differences": differences},
        }
        calibrated = {"sampling": self._sampling(), "speaking_up": self.evaluation.speaking_up}
        return seal.model_copy(update={"metrics": {**seal.metrics, **metrics}, **calibrated})

    def _sampling(self) -> dict[str, Any]:
        trials = self.evaluation.trials
        return (
            {name: value for name, value in asdict(trials[0].sampling).items() if name in CALIBRATED} if trials else {}
        )


def finalize(
    settings: Settings, corpus: Corpus, bundle: Bundle, *, spent: float, pace: float, forced: bool, bars: Bars
) -> Finalized:
    """Evaluate a bundle that is not sealed yet, write its report and judge it. spent: seconds that the training took. pace:
    tokens a second in it, of one process; infinite if unknown."""
    settings = with_local_engine(settings)
    speaking_now = _speaking_now(settings.adapters)
    evaluating, comparing = time_shares(spent, compares=speaking_now is not None)
    began = time.monotonic()
    voice = opened(settings, unprobed(bundle), bars)
    seconds = max(MIN_SECONDS / 2, evaluating - (time.monotonic() - began))
    scope = Scope(seconds, READS_FASTER * pace * evaluating, calibrating=True, full=False)
    evaluation = evaluate(settings, corpus, unprobed(bundle), voice, scope, bars)
    finalized = Finalized(evaluation, GateVerdict(), forced)
    measured = Bundle(bundle.folder, finalized.sealed(bundle.seal))
    until = time.monotonic() + comparing
    verdict = judge_bundle(settings, corpus, measured, voice, speaking_now, evaluation, until)
    finalized = Finalized(evaluation, verdict, forced)
    write_report(settings, corpus, Bundle(bundle.folder, finalized.sealed(bundle.seal)), evaluation, bundle.private)
    return finalized


def time_shares(spent: float, *, compares: bool) -> tuple[float, float]:
    """Return how many seconds the evaluation of a training may take, and asking the adapter that speaks now for comparison.
    spent: seconds that the training took."""
    seconds = max(MIN_SECONDS, TRAINING_TIME_SHARE * spent)
    comparing = GATE_TIME_SHARE * seconds if compares else 0.0
    return seconds - comparing, comparing


def with_local_engine(settings: Settings) -> Settings:
    """Return settings with a local engine: no server knows an adapter that is not sealed yet."""
    kind = settings.engine.kind
    engine = settings.engine.model_copy(update={"kind": "auto" if kind == "server" else kind})
    return settings.model_copy(update={"engine": engine})


def _speaking_now(home: Path) -> Bundle | None:
    """Return the current bundle, None if there is none that this version can open."""
    if not (home / CURRENT).exists():
        return None
    try:
        return current(home)
    except PermanentError:
        return None
