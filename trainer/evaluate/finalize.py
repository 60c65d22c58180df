"""What closes every training: the short form of the evaluation, the calibrated sampling, the report and the gate."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from persona.bundle import CURRENT, Bundle, Seal, current
from persona.config import Settings
from persona.errors import PermanentError
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation, Scope, evaluate
from trainer.evaluate.gate import Verdict, judge_bundle, unprobed
from trainer.evaluate.report.figures import plain_figures
from trainer.evaluate.report.files import write_report
from trainer.progress import Bars

SHARE = 0.2  # of the training's time
LEAST = 30.0  # seconds
CALIBRATED = ("temperature", "top_p", "min_p", "top_k", "repetition_penalty")  # what a calibration settles


@dataclass(frozen=True, slots=True)
class Closing:
    """The evaluation of a new bundle and the verdict on it. forced: it becomes current whatever the verdict."""

    evaluation: Evaluation
    verdict: Verdict
    forced: bool = False

    @property
    def moves(self) -> bool:
        """Whether the bundle becomes the one that speaks."""
        return self.verdict.passes or self.forced

    def sealed(self, seal: Seal) -> Seal:
        """`seal` with the calibrated sampling, the figures and the verdict in it."""
        gate = {"passed": self.verdict.passes, "forced": self.forced and not self.verdict.passes}
        told = {"reasons": list(self.verdict.reasons), "notes": list(self.verdict.notes)}
        apart = {name: figure.plain for name, figure in self.verdict.differences.items()}
        metrics = {"likeness": plain_figures(self.evaluation), "gate": {**gate, **told, "differences": apart}}
        return seal.model_copy(update={"metrics": {**seal.metrics, **metrics}, "sampling": self._sampling()})

    def _sampling(self) -> dict[str, Any]:
        trials = self.evaluation.trials
        return (
            {name: value for name, value in asdict(trials[0].sampling).items() if name in CALIBRATED} if trials else {}
        )


def close(settings: Settings, corpus: Corpus, bundle: Bundle, *, spent: float, forced: bool, bars: Bars) -> Closing:
    """Evaluate a bundle that is not sealed yet, write its report, and say whether it may speak. spent: seconds that the
    training took."""
    began = time.monotonic()
    seconds = max(LEAST, SHARE * spent)
    settings = _local(settings)
    found = evaluate(settings, corpus, unprobed(bundle), Scope(seconds, calibrating=True, full=False), bars)
    before = _before(settings.adapters)
    closing = Closing(found, Verdict(), forced)
    measured = Bundle(bundle.folder, closing.sealed(bundle.seal))
    verdict = judge_bundle(settings, corpus, measured, before, found, began + seconds)
    closing = Closing(found, verdict, forced)
    write_report(settings, corpus, Bundle(bundle.folder, closing.sealed(bundle.seal)), found, bundle.private)
    return closing


def _local(settings: Settings) -> Settings:
    """The same with an engine of this machine: no server knows an adapter that is not sealed yet."""
    kind = settings.engine.kind
    engine = settings.engine.model_copy(update={"kind": "auto" if kind == "server" else kind})
    return settings.model_copy(update={"engine": engine})


def _before(home: Path) -> Bundle | None:
    """The bundle that speaks now. None where there is none, or none that this alterego could open."""
    if not (home / CURRENT).exists():
        return None
    try:
        return current(home)
    except PermanentError:
        return None
