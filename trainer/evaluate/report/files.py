"""report.json and report.html: that of the training is sealed into the bundle's private folder; a later evaluation's lies
in adapters/<name>/reports/<version>, since nothing is written into a sealed bundle."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from persona.atomic import write_whole
from persona.bundle import Bundle
from persona.config import Settings
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.report.plain_figures import plain_figures
from trainer.evaluate.report.report_page import page

JSON, HTML = "report.json", "report.html"


def write_report(
    settings: Settings,
    corpus: Corpus,
    bundle: Bundle,
    evaluation: Evaluation,
    folder: Path,
    *,
    tally: str = "",
    leaks: Sequence[Mapping[str, Any]] = (),
    votes: Mapping[str, Any] | None = None,
) -> Path:
    """Both files, for the owner's eyes; returns the page's path. tally: of the Turing game. leaks: of the canary audit.
    votes: on answers, by version."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    figures = plain_figures(evaluation) | {
        "game": tally or None,
        "canaries": list(leaks),
        "votes": votes["versions"] if votes else [],
    }
    write_whole(folder / JSON, [json.dumps(figures, ensure_ascii=False, indent=1) + "\n"])
    write_whole(folder / HTML, [page(settings.persona.name, bundle, corpus, evaluation, tally, leaks, votes)])
    return folder / HTML
