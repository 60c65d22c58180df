"""The registry of figures: one row, and a figure is everywhere."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from persona.bundle import Bundle
from tests.conftest import ROOT
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, said, talks
from trainer.commands.evaluate import show_evaluation
from trainer.corpus.store import Corpus
from trainer.evaluate.copying import training_grams
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.figures import MODEL_FIGURES, REPLY_FIGURES, TEXT_FIGURES, ModelFigure, TextFigure, text_figures
from trainer.evaluate.intervals import Figure
from trainer.evaluate.reference_set import reference_set
from trainer.evaluate.report.docs import with_figures
from trainer.evaluate.report.plain_figures import plain_figures
from trainer.evaluate.report.report_page import page

WIT = TextFigure(
    title="wit",
    means="puns, as a share of all words",
    good="high",
    number=".1%",
    measure=lambda _: Figure(0.25, 0.2, 0.3),
)
MOOD = ModelFigure(title="mood", means="how it feels", good="near 7", measure=lambda _: Figure(6.5, 6, 7))


def test_a_figure_that_is_added_appears_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured for every voice; in JSON, on the page, in the table and in the docs, with which way is good."""
    monkeypatch.setitem(TEXT_FIGURES, "wit", WIT)
    monkeypatch.setitem(MODEL_FIGURES, "mood", MOOD)
    references = reference_set(talks({"ANNA": ANNA, "BORIS": BORIS}, 30), "ANNA", training_grams([]), full=False)
    rows = text_figures(references, {"tuned": said(ANNA, 30, seed=3), "human": said(ANNA, 30, seed=4)})
    evaluation = Evaluation(rows, {"mood": MOOD.measure(None)})  # type: ignore[arg-type]
    plain = plain_figures(evaluation)
    assert plain["rows"]["human"]["wit"] == [0.25, 0.2, 0.3]
    assert plain["figures"]["mood"] == [6.5, 6, 7]
    html = page("Anna", Bundle(tmp_path, small_voice(FakeEngine()).seal), Corpus(), evaluation)
    for words in ("Wit", "puns, as a share", "25.0%", "good is high", "mood: how it feels", "6.50", "near 7"):
        assert words in html, words
    with redirect_stdout(io.StringIO()) as shown:
        show_evaluation(tmp_path / "report.html", plain | {"canaries": []})
    table = [line.split() for line in shown.getvalue().splitlines()]
    assert ["wit", "25.0%", "±5.0%", "25.0%", "±5.0%"] in table
    assert "; wit: high\n" in shown.getvalue()
    assert ["mood", "near", "7", "6.50", "±0.50"] in table
    assert "| wit | high | puns, as a share of all words |  | `wit` |" in with_figures("")


def test_the_docs_hold_the_table_of_the_registry() -> None:
    """If not: `make docs`, or python -m trainer.evaluate.report.docs docs/likeness.md."""
    text = (ROOT / "docs" / "likeness.md").read_text(encoding="utf-8")
    assert with_figures(text) == text
    assert all(f"`{key}`" in text for key in (*TEXT_FIGURES, *MODEL_FIGURES, *REPLY_FIGURES))


def test_keys_are_a_contract() -> None:
    """Programs and sealed bundles know these figures by these names."""
    assert {
        "voice_ratio", "voice_ratio_masked", "voice_ratio_message", "two_sample", "distinct_1", "distinct_2", "duplicates",
        "shape", "copy8", "full",
    } <= TEXT_FIGURES.keys()  # fmt: skip
    assert {
        "bits_per_character", "bits_per_character_base", "membership", "attribution", "relevance", "guard_objects",
        "guard_silences", "guard_blocks_real", "copy8_unguarded", "full_unguarded", "voice_ratio_among_speakers",
    } <= MODEL_FIGURES.keys()  # fmt: skip
    assert {"relevance_unreminded", "fact_nats", "fact_gain", "fact_harm", "fact_recalled"} <= MODEL_FIGURES.keys()
    assert {"reply_relevance", "seconds", "prompt_tokens", "answer_tokens"} <= REPLY_FIGURES.keys()
