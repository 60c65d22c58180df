"""What was thought of answers, by version of the adapter: for the report, so for the owner's eyes."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from persona.bundle import read_seal, versions
from persona.errors import PermanentError
from persona.transcript import TranscriptError, parse
from trainer.refine.judged_replies import FeedbackLine

SHOWN = 10  # answers of each sort, the latest
EDITED = ", edited"  # behind the adapter whose answer was rewritten in the studio


def voted_replies(home: Path, lines: Sequence[FeedbackLine]) -> dict[str, Any]:
    """Return how many answers of each version were liked, refused and corrected, and the latest of each sort. home:
    adapters/<name>. Empty if nobody voted."""
    if not lines:
        return {}
    names = _versions(home)
    counts: dict[str, Counter[str]] = {}
    examples: dict[str, list[dict[str, str]]] = {"liked": [], "refused": [], "corrected": []}
    for line in lines:
        version = names.get(line.adapter.removesuffix(EDITED), line.adapter or "?")
        sort = "corrected" if line.right else "liked" if line.score > 0 else "refused"
        counts.setdefault(version, Counter())[sort] += 1
        shown = {"version": version, "before": _last_line(line.prompt), "said": line.completion, "right": line.right}
        examples[sort].append(shown)
    rows = [{"version": version, **{sort: count[sort] for sort in examples}} for version, count in counts.items()]
    return {"versions": rows, **{sort: list(reversed(latest[-SHOWN:])) for sort, latest in examples.items()}}


def _versions(home: Path) -> dict[str, str]:
    """Return the version of each sealed adapter by what answers call it: its speaker and when it was made."""
    named: dict[str, str] = {}
    for version in versions(home):
        try:
            seal = read_seal(home / str(version))
        except PermanentError:
            continue
        named[f"{seal.speaker} {seal.created}"] = str(version)
    return named


def _last_line(prompt: str) -> str:
    """Return what was answered; "…" on the timeline, and where a prompt can't be read."""
    try:
        turns = parse(prompt).turns
    except TranscriptError:
        turns = ()
    return turns[-1].lines[-1] if turns else "…"
