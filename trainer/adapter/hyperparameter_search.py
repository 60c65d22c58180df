"""A search for rank, alpha, learning rate, dropout and epochs, by held-out loss, within a time budget."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona.config import Settings
from persona.errors import UserError
from trainer.adapter.setup import TrainingSetup, build_setup, chosen_learning_rate
from trainer.base.loading import open_base
from trainer.corpus.store import Corpus
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import add_adapter, train_adapter
from trainer.progress import Bars

try:
    import optuna
except ImportError as missing:
    raise UserError("a sweep needs Optuna: run '.venv/bin/pip install -r requirements-sweep.txt'") from missing

RANKS = (4, 8, 16, 32, 64)
STORE = "sweep.db"
PLOTS = "sweep"


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The outcome of a sweep. trials: all there are in its store. chosen: the best [train] values; bits: held-out bits per
    character with them. plots: a folder."""

    trials: int
    chosen: Mapping[str, float]
    bits: float
    plots: Path


def sweep(settings: Settings, corpus: Corpus, bars: Bars, *, minutes: float) -> SweepResult:
    """Train adapters for so many minutes, each with other values; the one at hand when time is up is finished. Goes on
    where an earlier sweep of the same corpus and base ended. Raises UserError if nothing is held out."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    base = open_base(settings, corpus, bars)
    setup = build_setup(settings, corpus, base)
    setup.model.unload()  # each trial puts an adapter of its own on the base
    if not setup.calibration:
        raise UserError("nothing is held out to compare by; import more messages")
    home = settings.adapters
    home.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=f"{corpus.fingerprint[:12]}-{base.seal.weights[:12]}",
        storage=f"sqlite:///{home / STORE}",
        sampler=optuna.samplers.TPESampler(seed=settings.train.seed + _trials(home)),
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial(_as_they_are(settings, setup))
    ends = time.monotonic() + 60 * minutes
    with bars.task("sweep", minutes) as advance:
        spent = time.monotonic()
        while time.monotonic() < ends:
            study.optimize(_objective(settings, setup, home / PLOTS), n_trials=1)
            bars.say(f"trial {len(study.trials)}: {_describe(study.trials[-1])}; best {study.best_value:.4f}")
            advance((time.monotonic() - spent) / 60)
            spent = time.monotonic()
    _plot(study, home / PLOTS)
    done = [trial for trial in study.trials if trial.value is not None]
    return SweepResult(len(done), _values(study.best_params), float(study.best_value), home / PLOTS)


def _trials(home: Path) -> int:
    """Something that grows from sweep to sweep, so that one that goes on doesn't draw the same values again."""
    return (home / STORE).stat().st_size if (home / STORE).is_file() else 0


def _as_they_are(settings: Settings, setup: TrainingSetup) -> dict[str, float]:
    """Return the values that the settings hold now: what every other trial has to beat."""
    train = settings.train
    nearest = min(RANKS, key=lambda rank: abs(rank - train.rank))
    return {
        "rank": nearest,
        "alpha_per_rank": min(max(train.alpha / train.rank, 0.5), 4.0),
        "learning_rate": chosen_learning_rate(settings, setup.base),
        "dropout": min(train.dropout, 0.3),
        "epochs": min(max(round(train.epochs), 1), 8),
    }


def _objective(settings: Settings, setup: TrainingSetup, folder: Path) -> Callable[[Any], float]:
    def bits(trial: Any) -> float:
        chosen = settings.train.model_copy(update=_suggested(trial))
        model = add_adapter(setup.base.model, chosen)
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        end = setup.base.encoding.end_of_turn
        try:
            train_adapter(
                model,
                setup.rows,
                setup.calibration,
                chosen,
                learning_rate=float(chosen.learning_rate),
                fit=setup.fit,
                pad=end,
                folder=work,
                callbacks=[],
                bars=Bars(quiet=True),
                on_evaluate=lambda step, metrics: trial.report(metrics["eval_bits_per_character"], step),
            )
            return measure_loss(model, setup.calibration, setup.fit.tokens, end).bits_per_character
        finally:
            model.unload()
            shutil.rmtree(work, ignore_errors=True)

    return bits


def _suggested(trial: Any) -> dict[str, Any]:
    return _values(
        {
            "rank": trial.suggest_categorical("rank", RANKS),
            "alpha_per_rank": trial.suggest_float("alpha_per_rank", 0.5, 4.0, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 3e-5, 5e-3, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.3),
            "epochs": trial.suggest_int("epochs", 1, 8),
        }
    )


def _values(searched: Mapping[str, Any]) -> dict[str, Any]:
    """[train] values of what was searched."""
    return {
        "rank": searched["rank"],
        "alpha": round(searched["rank"] * searched["alpha_per_rank"], 1),
        "learning_rate": float(f"{searched['learning_rate']:.2e}"),
        "dropout": round(searched["dropout"], 3),
        "epochs": searched["epochs"],
    }


def _describe(trial: Any) -> str:
    if trial.value is None:
        return "failed"
    return f"{trial.value:.4f} held-out bits per character with {json.dumps(_values(trial.params))}"


def _plot(study: Any, folder: Path) -> None:
    """What mattered and how it went, as pictures."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization import matplotlib as drawn

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("optimization_history", "slice"):
        getattr(drawn, f"plot_{name}")(study)
        pyplot.savefig(folder / f"{name}.png", dpi=120, bbox_inches="tight")
        pyplot.close("all")
