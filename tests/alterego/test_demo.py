"""`alterego demo`: the sample, copied to where it may be written to."""

import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from alterego.cli import app
from alterego.demo import copy_sample, run_demo
from persona.config import load
from persona.sample import EXPORTS, SETTINGS, is_copy, sample_folder
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


def test_somebodys_own_settings_are_used_as_they_are(tmp_path: Path) -> None:
    """The sample is for where there are none; nothing is written beside them."""
    mine = '[persona]\nname = "Zelda"\n'
    (tmp_path / SETTINGS).write_text(mine, encoding="utf-8")
    assert copy_sample(tmp_path) == tmp_path / SETTINGS
    done = run_here(app, "alterego", "demo", str(tmp_path))
    assert (done.returncode, "nothing to import" in done.stderr) == (2, True)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {SETTINGS: mine}


def test_settings_are_the_users(tmp_path: Path) -> None:
    """git neither tracks persona.toml nor offers to: no pull touches it. What stands in examples/ works where it lies."""
    ignored = subprocess.run(["git", "check-ignore", "-q", SETTINGS], cwd=ROOT, check=False)
    tracked = subprocess.run(["git", "ls-files", SETTINGS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (ignored.returncode, tracked.stdout) == (0, "")
    assert all(source.exists() for source in load(ROOT / "examples" / SETTINGS).sources)
    assert is_copy(copy_sample(tmp_path))


def test_without_a_terminal_it_plays_prepared_lines(tmp_path: Path, trained: Home) -> None:
    """What was trained before is not trained again; a scene, tweets, what to expect, then a chat."""
    demo = tmp_path / "demo"
    shutil.copytree(trained.folder, demo, symlinks=True)
    (demo / "examples").mkdir()
    (demo / EXPORTS).symlink_to(demo / "exports")
    done = run_here(app, "alterego", "demo", str(demo))
    assert done.returncode == 0, done.stderr
    parts = ["A scene among Mara Voss's friends", "# group", "3 tweets:", "has the manner, not the sense", "A chat:"]
    assert sorted(parts, key=done.stdout.index) == parts
    opening, *_, last = (ROOT / "examples" / "prompts.txt").read_text(encoding="utf-8").splitlines()
    assert f"you: {opening}\nMara Voss: " in done.stdout
    assert f"you: {last}\n" in done.stdout
    assert "sealed" not in done.stdout


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
