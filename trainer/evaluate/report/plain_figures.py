"""An evaluation as plain figures, without a word of what anybody wrote: what is sealed, and what programs read."""

from collections.abc import Mapping
from typing import Any

from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.figures import Row
from trainer.evaluate.intervals import Figure
from trainer.evaluate.verdict import verdict

ORDER = ("tuned", "rival", "human", "another human", "markov", "base")


def plain_figures(evaluation: Evaluation) -> dict[str, Any]:
    """rows and figures as [value, low, high], the trials of the calibration, the verdict and the warnings."""
    return {
        "verdict": verdict(evaluation),
        "rows": {name: _plain_row(evaluation.rows[name]) for name in ORDER if name in evaluation.rows},
        "figures": _plain_row(evaluation.figures),
        "replies": {name: _plain_row(row) for name, row in evaluation.reply_rows.items()},
        "rival": _plain_rival(evaluation),
        "judge_decisions": judge_decisions(evaluation),
        "calibration": [
            {
                "temperature": trial.sampling.temperature,
                "top_p": trial.sampling.top_p,
                "min_p": trial.sampling.min_p,
                "voice_ratio": round(trial.voice_ratio, 4),
                "two_sample": round(trial.two_sample, 4),
                "distinct_2": round(trial.distinct, 4),
                "length": round(trial.length, 4),
                "texts": trial.texts,
            }
            for trial in evaluation.trials
        ],
        "texts": len(evaluation.replies),
        "warnings": list(evaluation.warnings),
        "seconds": round(evaluation.seconds, 1),
    }


def _plain_rival(evaluation: Evaluation) -> dict[str, Any] | None:
    rival = evaluation.rival
    if rival is None:
        return None
    return {"model": rival.model, "host": rival.host, "asked": rival.asked, "answered": len(rival.replies)}


def judge_decisions(evaluation: Evaluation) -> dict[str, float] | None:
    """Of 100 bundles of messages, how many the judges take for the persona: imitated, real, and other people's."""
    made = evaluation.decisions
    if made is None:
        return None
    kinds = {"imitation": made.generated, "person": made.real, "others": made.others}
    return {name: round(100 * float(hits.mean()), 1) for name, hits in kinds.items() if len(hits)}


def _plain_row(row: Row | Mapping[str, Figure | None]) -> dict[str, list[float] | None]:
    return {name: figure.plain if figure else None for name, figure in row.items()}
