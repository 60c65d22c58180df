"""A training ends with figures, a report and a verdict; a worse adapter is sealed but does not speak."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.backends.transformers_engine import load_base
from engine.choose import encoding_of, guard_of, open_voice_of
from persona.bundle import Bundle, current, open_bundle
from persona.config import load
from tests.conftest import Home, run_here, sample_settings
from trainer.__main__ import app
from trainer.bundle.gguf_file import write_gguf
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.finalize import finalize
from trainer.evaluate.gate import judge_bundle, unprobed
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.reading_budget import FEWEST_REPLIES
from trainer.evaluate.reference_set import MIN_TEXTS
from trainer.evaluate.reply_context import reply_contexts
from trainer.progress import Bars


def trainer(home: Home, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_here(app, "python -m trainer", *arguments, "--config", str(home.config))


@pytest.fixture
def again(tmp_path: Path, trained: Home) -> Home:
    """A home of its own with the session's corpus, adapter and grown base: a training takes seconds."""
    home = Home(tmp_path)
    (home.folder / "corpus").symlink_to(trained.folder / "corpus")
    shutil.copytree(trained.folder / "adapters", home.folder / "adapters", symlinks=True)
    return home


def test_the_seal_and_the_report_hold_the_figures(trained: Home) -> None:
    """Of the short form; the words are in the report alone, which only the owner reads."""
    bundle = current(load(trained.config, {}).adapters)
    assert {"rows", "figures", "verdict", "warnings"} <= bundle.seal.metrics["likeness"].keys()
    gate = bundle.seal.metrics["gate"]
    assert gate["passed"] is not gate["forced"]
    assert gate["passed"] or gate["reasons"]
    assert {"private/report.html", "private/report.json"} <= bundle.seal.files.keys()
    assert bundle.private.stat().st_mode & 0o077 == 0
    real = [
        one.text for one in reply_contexts(load_corpus(load(trained.config, {})).in_split("b"), bundle.seal.speaker)
    ]
    sealed = (bundle.folder / "persona.json").read_text(encoding="utf-8")
    assert not any(text in sealed for text in real if len(text) > 12)


def test_a_worse_adapter_is_sealed_but_does_not_speak(again: Home, tmp_path: Path) -> None:
    """One that ends every turn before it began; the verdict is sealed and stands in the report."""
    settings = load(again.settings(sample_settings("[base]\nminutes = 0.25\n")).config, {})
    before, corpus = current(settings.adapters), load_corpus(settings)
    mute = tmp_path / "mute"
    shutil.copytree(before.folder, mute)
    model = load_base(mute / "base")
    embeddings = model.get_input_embeddings().weight.data
    embeddings[:, 0] = 100  # outweighs all that was learned, at every position
    embeddings[before.seal.end_of_turn, 0] = 200
    model.model.norm.weight.data[0] = 1
    write_gguf(model, encoding_of(before), mute / "model.gguf")
    ruined = Bundle(mute, before.seal.model_copy(update={"probe": None}))
    finalized = finalize(settings, corpus, ruined, spent=0.0, pace=1.0, forced=False, bars=Bars(quiet=True))
    assert finalized.evaluation.turns == 1  # of so slow a base
    assert len(finalized.evaluation.replies) == FEWEST_REPLIES
    assert not finalized.becomes_current
    assert any("it has something to say on 0 of" in reason for reason in finalized.verdict.reasons)
    assert finalized.sealed(ruined.seal).metrics["gate"]["passed"] is False
    assert "Held back:" in (mute / "private" / "report.html").read_text(encoding="utf-8")


def test_a_refit_learns_the_held_out_messages_and_keeps_the_figures(again: Home) -> None:
    """And says so; the guard knows them too, and the next comparison leaves them out."""
    again.settings(sample_settings("[base]\nminutes = 0.25\n[train]\nepochs = 1\nrank = 8\nrefit = true\n"))
    done = trainer(again, "train", "--force", "--json")
    assert done.returncode == 0, done.stderr
    settings = load(again.config, {})
    bundle, corpus = current(settings.adapters), load_corpus(settings)
    held_out = {one.id for one in corpus.in_split("a", "b")}
    assert set(bundle.seal.data["refit_on"]) == held_out
    assert bundle.seal.metrics["likeness"]["rows"].keys() >= {"tuned", "human"}
    guard = guard_of(settings, bundle)
    long = [
        one.text for one in reply_contexts(corpus.in_split("a", "b"), bundle.seal.speaker) if len(one.text.split()) > 12
    ]
    assert long
    assert all(guard.check(text) for text in long)
    held_back = [
        GeneratedReply(context, context.real.lines, ())
        for context in reply_contexts(corpus.in_split("b"), bundle.seal.speaker)
    ]
    assert len(held_back) >= MIN_TEXTS
    voice = open_voice_of(settings, unprobed(bundle))
    verdict = judge_bundle(settings, corpus, bundle, voice, bundle, Evaluation(replies=held_back), 0.0)
    assert any("too few to compare" in note for note in verdict.notes)


def test_evaluate_prints_the_figures_and_leaves_the_bundle_alone(again: Home) -> None:
    """As JSON with the report's path; the sealed bundle is as it was."""
    again.settings(sample_settings("[base]\nminutes = 0.25\n"))
    done = trainer(again, "evaluate", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert {"tuned", "human", "markov", "base"} <= figures["rows"].keys()
    assert {"bits_per_character", "membership", "guard_blocks_real"} <= figures["figures"].keys()
    assert Path(figures["report"]).is_file()
    open_bundle(current(load(again.config, {}).adapters).folder)


def test_an_evaluation_without_an_adapter_is_a_sentence(tmp_path: Path, trained: Home) -> None:
    """With what to do."""
    home = Home(tmp_path).settings(sample_settings())
    (tmp_path / "corpus").symlink_to(trained.folder / "corpus")
    done = trainer(home, "evaluate")
    assert done.returncode == 78
    assert "no current adapter" in done.stderr
