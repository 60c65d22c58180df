"""An evaluation as plain figures, without a word of what anybody wrote: what is sealed, and what programs read."""

from collections.abc import Mapping
from typing import Any

from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.intervals import Figure
from trainer.evaluate.metrics import Row

ORDER = ("tuned", "human", "another human", "markov", "base")


def plain_figures(found: Evaluation) -> dict[str, Any]:
    """rows and figures as [value, low, high], the trials of the calibration, the verdict and the warnings."""
    return {
        "verdict": verdict(found),
        "rows": {name: _plain_row(found.rows[name]) for name in ORDER if name in found.rows},
        "figures": _plain_row(found.figures),
        "judge_decisions": judge_decisions(found),
        "calibration": [
            {
                "temperature": one.sampling.temperature,
                "top_p": one.sampling.top_p,
                "min_p": one.sampling.min_p,
                "voice_ratio": round(one.voice_ratio, 4),
                "two_sample": round(one.two_sample, 4),
                "distinct_2": round(one.distinct, 4),
                "length": round(one.length, 4),
                "texts": one.texts,
            }
            for one in found.trials
        ],
        "texts": len(found.replies),
        "warnings": list(found.warnings),
        "seconds": round(found.seconds, 1),
    }


def judge_decisions(found: Evaluation) -> dict[str, float] | None:
    """Of 100 bundles of messages, how many the judges take for the persona: imitated, real, and other people's."""
    made = found.decisions
    if made is None:
        return None
    kinds = {"imitation": made.generated, "person": made.real, "others": made.others}
    return {name: round(100 * float(hits.mean()), 1) for name, hits in kinds.items() if len(hits)}


def verdict(found: Evaluation) -> str:
    """The evaluation in a sentence."""
    decisions = judge_decisions(found)
    if decisions:
        return (
            f"taken for you in {decisions['imitation']:.0f} of 100 judge decisions; "
            f"another friend: {decisions['others']:.0f}; you yourself: {decisions['person']:.0f}"
        )
    area = found.rows["tuned"]["two_sample"] if "tuned" in found.rows else None
    if area:
        return f"told from you in {100 * area.value:.0f} of 100 cases, where 50 is chance; there is nobody to compare you with"
    return "too little was held out to say how alike it is"


def _plain_row(row: Row | Mapping[str, Figure | None]) -> dict[str, list[float] | None]:
    return {name: figure.plain if figure else None for name, figure in row.items()}
