"""From exports to a sealed bundle and its voice, by the commands a user types."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from persona.archive.index import archive_of
from persona.bundle import current, open_bundle
from persona.config import load
from persona.markers import says_words
from persona.transcript import Conversation, Turn, parse
from tests import tokenizers
from tests.conftest import ROOT, Home, run_here, sample_settings
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from tests.trainer import bases
from trainer.__main__ import app
from trainer.bundle.sealing import LARGE, gguf_precision, latest_year
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.reply_context import reminded, reply_contexts, unreminded
from trainer.loop.checkpoints import training_lock


def trainer(home: Home, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_here(app, "python -m trainer", *arguments, "--config", str(home.config))


@pytest.fixture
def imported(tmp_path: Path, trained: Home) -> Home:
    """A home with the session's corpus but no adapter."""
    home = Home(tmp_path)
    (home.folder / "corpus").symlink_to(trained.folder / "corpus")
    return home


def test_the_sealed_bundle_holds_what_the_bot_needs(trained: Home) -> None:
    """Adapter, tokenizer, grown base, card, private plots, seal; and no path of this machine."""
    bundle = current(load(trained.config, {}).adapters)
    names = set(bundle.seal.files)
    wanted = {
        "adapter_model.safetensors",
        "adapter_config.json",
        "tokenizer.json",
        "README.md",
        "base/model.safetensors",
        "model.gguf",
        "private/loss.png",
        "private/heard.json",
        "private/archive.sqlite",
    }
    assert wanted <= names
    assert bundle.seal.speakers["MARA VOSS"].tuned
    assert not bundle.seal.speakers["JONAS"].tuned
    assert bundle.seal.probe is not None
    assert {"bits_per_character", "bits_per_character_base", "loss_history"} <= bundle.seal.metrics.keys()
    for name in ("persona.json", "adapter_config.json", "README.md", "tokenizer_config.json"):
        assert str(trained.folder.parent) not in (bundle.folder / name).read_text(encoding="utf-8")


def test_what_the_judges_hold_is_not_in_the_archive(trained: Home) -> None:
    """It is of the train split, and what was held out does not come to mind."""
    settings = load(trained.config, {})
    corpus = load_corpus(settings)
    with closing(archive_of(current(settings.adapters))) as archive:
        remembered = {passage.conversation for passage in archive.passages()}
        assert remembered == {record.id for record in corpus.in_split("train") if _has_words(record)}
        held_out = reply_contexts(corpus.in_split("b"), "MARA VOSS")
        voice = small_voice(FakeEngine())
        asked = reminded(held_out, archive, voice.encoding, voice.seal)
    assert sum(bool(context.memories) for context in asked) > len(asked) / 4
    assert [unreminded(context) for context in asked] == held_out


def _has_words(record: ConversationRecord) -> bool:
    return any(says_words(turn) for turn in record.conversation.turns)


def test_import_reports_every_message(trained: Home, tmp_path: Path) -> None:
    """read = kept + dropped, per source and speaker; a second import adds nothing."""
    home = Home(tmp_path).settings(sample_settings())
    (tmp_path / "exports").symlink_to(trained.folder / "exports")
    first, second = (json.loads(trainer(home, "import", "--json").stdout) for _ in range(2))
    for row in (*first["table"], *second["table"]):
        assert row["read"] == row["kept"] + sum(row["dropped"].values())
    assert {"retweets", "service"} <= {reason for row in first["table"] for reason in row["dropped"]}
    assert second["total"]["kept"] == 0
    assert second["corpus"] == first["corpus"]


def test_a_plan_says_what_training_would_take_and_trains_nothing(imported: Home) -> None:
    """With a base that is there, and with one that is yet to grow."""
    forgetful = '[base]\nmodel = "base"\n[train]\nmemory = false\n'
    for text, grown in ((forgetful, False), ("[base]\nminutes = 7\n[train]\nmemory = true\n", True)):
        bases.save(imported.folder / "base", bases.qwen3)
        imported.settings(sample_settings(text))
        done = trainer(imported, "train", "--plan", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (0 < found["growing_minutes"] <= 7) is grown
        assert found["steps"] > 0
        assert found["trainable"] < found["parameters"]
        assert found["memory_total"] > found["memory_weights"] + found["memory_activations"] > 0
        assert (found["memory_rows"] > 0) is grown
        assert "tokens in" in trainer(imported, "train", "--plan").stdout
        assert not load(imported.config, {}).adapters.exists()


def test_a_quantised_base_is_refused_off_cuda(imported: Home) -> None:
    """It would train nothing, silently."""
    imported.settings(sample_settings('[base]\nquantize = "4bit"\n'))
    done = trainer(imported, "train")
    assert done.returncode == 2
    assert 'quantize = "4bit" needs a CUDA card' in done.stderr


def test_samples_are_drawn_with_a_seed(trained: Home) -> None:
    """The same seed says the same, another one something else; blocks apart by a blank line."""
    one, same, other = (trainer(trained, "sample", "-n", "4", "--seed", seed) for seed in ("1", "1", "2"))
    assert one.stdout == same.stdout != other.stdout
    assert len(one.stdout.strip().split("\n\n")) == 4


def test_a_whole_conversation_is_sampled_between_the_speakers(trained: Home) -> None:
    """And it says whose voices are the base's."""
    done = trainer(trained, "sample", "--scene", "group", "--turns", "9", "--seed", "3")
    conversation = parse(done.stdout)
    assert len(conversation.turns) == 9
    assert {turn.speaker for turn in conversation.turns} <= {"MARA VOSS", "JONAS", "PRIYA", "XIAOYU", "BRAM", "NOOR"}
    assert "voices that were not trained are the base's" in done.stderr


@pytest.mark.parametrize(
    ("shape", "make"),
    [
        (bases.llama, tokenizers.bpe_with_fallback),
        (bases.qwen3, tokenizers.byte_level_bpe),
        (bases.gpt2, tokenizers.byte_level_bpe),
    ],
)
def test_any_causal_lm_folder_is_a_base(imported: Home, shape: object, make: object) -> None:
    """Train on a folder that save_pretrained wrote, then speak; the base stays where it is."""
    bases.save(imported.folder / "base", shape, make)  # type: ignore[arg-type]
    imported.settings(
        sample_settings('[base]\nmodel = "base"\n[train]\nepochs = 1\nlimit = 120\nrank = 4\nmax_length = 4096\n')
    )
    done = trainer(imported, "train", "--force", "--json")
    assert done.returncode == 0, done.stderr
    bundle = current(load(imported.config, {}).adapters)
    assert json.loads(done.stdout)["bundle"] == str(bundle.folder.resolve())
    assert bundle.seal.base.model == "base"
    assert not (bundle.folder / "base").exists()
    assert bundle.seal.max_length == (128 if shape is bases.gpt2 else 256)
    assert trainer(imported, "sample", "-n", "1").returncode == 0
    (imported.folder / "base" / "model.safetensors").write_bytes(
        (bundle.folder / "adapter_model.safetensors").read_bytes()
    )
    imported.settings(sample_settings('[base]\nmodel = "base"\n[engine]\nkind = "transformers"\n'))
    refused = trainer(imported, "sample", "-n", "1")
    assert refused.returncode in (1, 78)
    assert len(refused.stderr.strip().splitlines()) == 1


def test_the_end_of_turn_is_what_the_model_stops_on(imported: Home) -> None:
    """A tokenizer's EOS that the model never generates gives way to the first one it does."""
    bases.save(imported.folder / "base", bases.qwen3, listed=[7, 9])
    forgetful = "[train]\nepochs = 1\nlimit = 60\nrank = 4\nmemory = false\n"
    imported.settings(sample_settings(f'[base]\nmodel = "base"\n{forgetful}'))
    assert trainer(imported, "train", "--force").returncode == 0
    seal = current(load(imported.config, {}).adapters).seal
    assert (seal.end_of_turn, seal.stops) == (7, (7, 9))
    assert "private/archive.sqlite" not in seal.files


def test_a_second_training_is_kept_away(trained: Home) -> None:
    """Whether the first was started in a terminal, by the studio or by a timer; the lock leaves nothing behind."""
    adapters = load(trained.config, {}).adapters
    before = sorted(adapters.rglob("*"))
    with training_lock(adapters):
        done = trainer(trained, "train")
    assert done.returncode == 1
    assert "a training writes into" in done.stderr
    assert sorted(adapters.rglob("*")) == before
    with training_lock(adapters):
        pass


def test_ctrl_c_leaves_the_old_bundle_or_nothing(imported: Home) -> None:
    """In the middle of growing the base."""
    imported.settings(sample_settings("[base]\nminutes = 5\n"))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "trainer", "train", "--config", str(imported.config)]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    adapters = load(imported.config, {}).adapters
    deadline = time.monotonic() + 60
    while not list(adapters.glob("bases/.*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "alterego: interrupted; nothing was left half-written"
    assert [path for path in adapters.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("settings", "command", "code", "sentence"),
    [
        ("", ["import", "nowhere.zip"], 1, "there is no nowhere.zip"),
        ("", ["import"], 1, "there is no"),
        ("", ["train"], 1, "there is no corpus"),
        ("", ["sample"], 78, "has no current adapter: nothing is trained yet; run"),
        ("[train]\nrnak = 1\n", ["train"], 2, "did you mean 'rank'?"),
        ("", ["sample", "--scene", "nowhere"], 2, "there is no scene 'nowhere'"),
        ("", ["train", "--config"], 2, "Option '--config' requires an argument; see"),
    ],
)
def test_a_fault_is_one_sentence_with_its_exit_code(
    tmp_path: Path, settings: str, command: list[str], code: int, sentence: str
) -> None:
    """What is wrong, where, and what to do."""
    home = Home(tmp_path).settings(sample_settings(settings))
    done = run_here(app, "python -m trainer", *command, cwd=tmp_path)
    assert done.returncode == code
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (home.folder / "corpus").exists()
    assert not (home.folder / "adapters").exists()


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("empty.json", b"", "is empty; export it again"),
        ("photo.jpg", b"\xff\xd8\xff\xe0" * 50, "no export that alterego can read"),
        ("broken.zip", b"PK\x03\x04" + b"\x00" * 40, "is no readable zip"),
        ("other.zip", b"PK\x05\x06" + b"\x00" * 18, "no export that alterego can read"),
    ],
)
def test_what_is_no_export_is_refused_by_name(tmp_path: Path, file: str, content: bytes, sentence: str) -> None:
    """And nothing is written."""
    home = Home(tmp_path).settings(sample_settings())
    (tmp_path / file).write_bytes(content)
    done = trainer(home, "import", str(tmp_path / file))
    assert done.returncode == 1
    assert file in done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "corpus").exists()


def test_a_name_nobody_bears_is_told_with_who_is_there(tmp_path: Path, sample_exports: Path) -> None:
    """With counts, and nothing is written."""
    home = Home(tmp_path).settings('[persona]\nname = "Zoe"\n')
    done = trainer(home, "import", str(sample_exports))
    assert done.returncode == 1
    assert "nobody in these exports is called 'Zoe'; there are Mara Voss (" in done.stderr
    assert "Priya Raman (" in done.stderr
    assert not (tmp_path / "corpus").exists()


def test_too_small_a_corpus_says_how_many_are_there_and_needed(tmp_path: Path) -> None:
    """A handful of messages is no voice."""
    home = Home(tmp_path).settings('[persona]\nname = "Ana"\n')
    (tmp_path / "talk.txt").write_text("Ana:\nhello\n\nBob:\nhi\n\nAna:\nbye\n")
    assert trainer(home, "import", str(tmp_path / "talk.txt")).returncode == 0
    done = trainer(home, "train")
    assert done.returncode == 1
    assert "the corpus has 2 messages by Ana to train on, at least 50 are needed" in done.stderr
    assert not (tmp_path / "adapters").exists()


def test_a_hub_id_without_a_network_is_a_sentence(imported: Home) -> None:
    """The first time, the Hub must be reachable."""
    imported.settings(sample_settings('[base]\nmodel = "nobody/nothing"\n'))
    done = trainer(imported, "train")
    assert done.returncode == 1
    assert "the base 'nobody/nothing' can't be loaded" in done.stderr
    assert len([line for line in done.stderr.strip().splitlines() if line.startswith("alterego:")]) == 1
    assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_nothing_half_written(imported: Home) -> None:
    """A limit on file sizes stands for it: writing fails in the middle; once there is room, the same command ends it."""
    bases.save(imported.folder / "base", bases.qwen3)
    imported.settings(sample_settings('[base]\nmodel = "base"\n[train]\nepochs = 1\nlimit = 60\n'))
    limited = f"ulimit -f 40; exec {sys.executable} -m trainer train --config {imported.config}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {limited}"], env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    adapters = load(imported.config, {}).adapters
    assert {path.name for path in adapters.glob("*")} <= {"bases", ".training"}
    assert trainer(imported, "train").returncode == 0
    assert not (adapters / ".training").exists()


def test_a_tampered_bundle_is_refused(trained: Home, tmp_path: Path) -> None:
    """With exit code 78 and the file's name."""
    import shutil

    shutil.copytree(trained.folder / "adapters", tmp_path / "adapters", symlinks=True)
    home = Home(tmp_path).settings(sample_settings())
    target = current(load(home.config, {}).adapters).folder / "tokenizer.json"
    target.write_text(target.read_text() + " ")
    done = trainer(home, "sample")
    assert done.returncode == 78
    assert "tokenizer.json was changed after it was sealed" in done.stderr
    assert open_bundle(current(load(trained.config, {}).adapters).folder)


def test_the_latest_year_is_one_with_enough_to_sound_like() -> None:
    """A few messages with a wrong clock are no era; of a short life 5% are enough."""

    def said(**years: int) -> list[ConversationRecord]:
        return [
            ConversationRecord(str(at), Conversation("timeline", (Turn("MARA", ("hi",)),), int(year[1:])), (None,), "x")
            for year, count in years.items()
            for at in range(count)
        ]

    assert latest_year(said(y2013=4000, y2020=50, y2026=3), "MARA") == 2020
    assert latest_year(said(y2013=90, y2014=10), "MARA") == 2014
    assert latest_year(said(y2013=990, y2014=10), "MARA") == 2013
    assert latest_year(said(y2013=9), "BOB") is None
    assert latest_year([], "MARA") is None


@pytest.mark.parametrize(
    ("wanted", "parameters", "written"),
    [
        ("auto", LARGE - 1, "f16"),
        ("auto", LARGE, "q8_0"),
        ("f16", LARGE, "f16"),
        ("q4_0", 1, "q4_0"),
        ("bf16", LARGE, "q8_0"),  # which is for transformers
    ],
)
def test_large_models_are_written_in_eight_bits(wanted: str, parameters: int, written: str) -> None:
    """Unless settings say otherwise."""
    assert gguf_precision(wanted, parameters) == written
