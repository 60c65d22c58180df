"""Votes in the report: by version, the latest first."""

from datetime import UTC, datetime
from pathlib import Path

from persona.bundle import BaseModelSeal, Seal, draft, publish
from trainer.refine.judged_replies import FeedbackLine
from trainer.refine.voted_replies import SHOWN, voted_replies


def test_votes_are_counted_by_the_version_that_answered(tmp_path: Path) -> None:
    """An adapter that is gone is called as its answers call it; edited answers are their version's."""
    base = BaseModelSeal(model="scratch", weights="", architecture="qwen3")
    with draft(tmp_path) as folder:
        seal = publish(folder, Seal(speaker="A", speakers={}, end_of_turn=0, stops=(0,), max_length=64, base=base)).seal
    name = f"A {seal.created}"
    assert datetime.fromisoformat(seal.created) <= datetime.now(UTC)

    def line(score: int, adapter: str, right: str = "", said: str = "x") -> FeedbackLine:
        prompt = "# group\n\nB:\nhey\nyou\n"
        return FeedbackLine(account="d:1", prompt=prompt, completion=said, score=score, right=right, adapter=adapter)

    many = [line(1, name, said=str(number)) for number in range(SHOWN + 2)]
    shown = voted_replies(tmp_path, [*many, line(-1, f"{name}, edited"), line(-1, "A 2020", "y"), line(1, "A 2020")])
    assert shown["versions"] == [
        {"version": "1", "liked": SHOWN + 2, "refused": 1, "corrected": 0},
        {"version": "A 2020", "liked": 1, "refused": 0, "corrected": 1},
    ]
    assert len(shown["liked"]) == SHOWN
    assert shown["liked"][1] == {"version": "1", "before": "you", "said": str(SHOWN + 1), "right": ""}
    assert voted_replies(tmp_path, []) == {}
