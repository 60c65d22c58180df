"""The demo: the packaged sample is copied into a folder, imported, trained on and talked to."""

import shutil
import sys
from pathlib import Path

import typer

from persona.command import commands_of, typed
from persona.config import load
from persona.errors import SettingsError

SETTINGS = "persona.toml"
EXPORTS = Path("examples") / "exports"  # where the sample's settings say they are
PROMPTS = Path("examples") / "prompts.txt"
TWEETS = 5


def sample_folder() -> Path:
    """Return the folder with the sample: inside the installed package, or the checkout that this file is in."""
    packaged = Path(__file__).parent / "sample"
    return packaged if packaged.is_dir() else Path(__file__).parents[1]


def copy_sample(folder: Path) -> Path:
    """Copy the sample's settings and exports into a folder, unless they are there. Returns its settings file.

    Raises SettingsError if the folder holds settings that are not the sample's."""
    config, sample = folder / SETTINGS, sample_folder()
    if config.exists():
        if load(config).persona.name != load(sample / SETTINGS).persona.name or not (folder / EXPORTS).is_dir():
            raise SettingsError(
                f"{config} is not the sample's: name another folder, or run '{typed('python -m trainer import')}' in it"
            )
        return config
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(sample / EXPORTS, folder / EXPORTS, dirs_exist_ok=True)
    shutil.copyfile(sample / SETTINGS, config)  # last: a copy that was cut short is made again
    return config


def run_demo(folder: Path, app: typer.Typer) -> None:
    """Import, train if that was not done before, and chat; without a terminal, with prepared lines and some tweets."""
    config = copy_sample(folder)
    commands = commands_of(app)

    def call(*words: str) -> None:
        code = commands.main(args=[*words, "--config", str(config)], prog_name=app.info.name, standalone_mode=False)
        if code:  # interrupted, for one: the next step must not begin
            raise typer.Exit(code)

    call("import")
    call("train", "--if-changed")
    if sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        call("chat")
        return
    with (sample_folder() / PROMPTS).open(encoding="utf-8") as lines:
        before, sys.stdin = sys.stdin, lines
        try:
            call("chat")
        finally:
            sys.stdin = before
    typer.echo()
    call("tweet", "-n", str(TWEETS))
