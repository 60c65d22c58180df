"""`alterego demo`: the sample, copied to where it may be written to."""

import shutil
from pathlib import Path

import pytest
import typer

from alterego.cli import app
from alterego.demo import EXPORTS, SETTINGS, copy_sample, run_demo, sample_folder
from persona.config import load
from persona.errors import SettingsError
from tests.conftest import ROOT, Home, run_here


def test_the_sample_is_copied_once(tmp_path: Path) -> None:
    """With settings that find their exports; what was changed afterwards stays."""
    config = copy_sample(tmp_path / "demo")
    assert [Path(source) for source in load(config).sources] == [tmp_path / "demo" / EXPORTS]
    names = sorted(path.name for path in (sample_folder() / EXPORTS).iterdir())
    assert sorted(path.name for path in (config.parent / EXPORTS).iterdir()) == names
    changed = config.read_text(encoding="utf-8") + "# mine\n"
    config.write_text(changed, encoding="utf-8")
    assert copy_sample(tmp_path / "demo") == config
    assert config.read_text(encoding="utf-8") == changed


def test_a_copy_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    """The settings are copied last."""
    shutil.copytree(ROOT / EXPORTS, tmp_path / EXPORTS)
    next((tmp_path / EXPORTS).glob("*.json")).write_text("[")
    config = copy_sample(tmp_path)
    assert next((config.parent / EXPORTS).glob("*.json")).stat().st_size > 2


def test_somebodys_own_settings_are_not_taken_for_the_sample(tmp_path: Path) -> None:
    """Exit code 2, and nothing is written."""
    (tmp_path / SETTINGS).write_text('[persona]\nname = "Zelda"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="is not the sample's"):
        copy_sample(tmp_path)
    done = run_here(app, "alterego", "demo", str(tmp_path))
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == [SETTINGS]


def test_without_a_terminal_it_plays_prepared_lines(tmp_path: Path, trained: Home) -> None:
    """What was trained before is not trained again; a chat, then tweets."""
    demo = tmp_path / "demo"
    shutil.copytree(trained.folder, demo, symlinks=True)
    (demo / "examples").mkdir()
    (demo / EXPORTS).symlink_to(demo / "exports")
    done = run_here(app, "alterego", "demo", str(demo))
    assert done.returncode == 0, done.stderr
    chat, _, tweets = done.stdout.partition("you: good night\n")
    assert "you: hey, are you open today?\nMara Voss: " in chat
    assert "sealed" not in chat
    assert len(tweets.split("\n\n")) > 5


def test_an_interrupted_step_ends_the_demo(tmp_path: Path) -> None:
    """Training must not begin on half an import and report that its corpus is missing."""
    steps: list[str] = []
    app = typer.Typer()

    @app.command("import")
    def import_(config: Path = Path()) -> None:
        """Be interrupted. Example: import"""
        steps.append("import")
        raise KeyboardInterrupt

    @app.command()
    def train(if_changed: bool = False, config: Path = Path()) -> None:
        """Be noted. Example: train"""
        steps.append("train")

    with pytest.raises(typer.Exit) as ended:
        run_demo(tmp_path / "demo", app)
    assert (ended.value.exit_code, steps) == (130, ["import"])
