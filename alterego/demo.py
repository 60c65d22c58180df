"""The demo: the settings of a folder, or else the sample's, are imported, trained on, and heard."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from persona.atomic import write_whole
from persona.command import commands_of, guided, typed
from persona.config import Settings, load
from persona.sample import EXPORTS, SETTINGS, copied_settings, is_copy, sample_folder

PROMPTS = Path("examples") / "prompts.txt"
MODE = 0o644  # there are no secrets in settings
TURNS, TWEETS = 8, 3
MANNER = (
    "What was trained here has the manner, not the sense: it is a small model grown on these messages alone. A real base has "
    "both; 'python -m trainer init' offers one where this machine can train it."
)


def copy_sample(folder: Path) -> Path:
    """Copy the sample's settings and exports into a folder that has no settings. Returns the settings file."""
    config, exports = folder / SETTINGS, sample_folder() / EXPORTS
    if config.exists():
        return config
    if not (folder / EXPORTS).is_dir() or not exports.samefile(folder / EXPORTS):  # a checkout has them
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(exports, folder / EXPORTS, dirs_exist_ok=True)
    write_whole(config, [copied_settings()], mode=MODE)  # last: a copy that was cut short is made again
    return config


def run_demo(folder: Path, app: typer.Typer) -> None:
    """Import, train if that was not done before, show a scene and some tweets, and chat; without a terminal, with
    prepared lines."""
    config = copy_sample(folder)
    commands = commands_of(app)

    def call(*words: str) -> None:
        with guided():
            code = commands.main(args=[*words, "--config", str(config)], prog_name=app.info.name, standalone_mode=False)
        if code:  # interrupted, for one: the next step must not begin
            raise typer.Exit(code)

    call("import")
    call("train", "--if-changed")
    settings = load(config)
    _say(f"A scene among {settings.persona.name}'s friends, made up just now:")
    call("sample", "--scene", "group", "--turns", str(TURNS))
    _say(f"{TWEETS} tweets:")
    call("tweet", "-n", str(TWEETS))
    if settings.base.model == "scratch":
        _say(typed(MANNER))
    if sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        _say(_invitation(config, settings))
        call("chat")
        return
    _say("A chat:")
    with (sample_folder() / PROMPTS).open(encoding="utf-8") as lines:
        before, sys.stdin = sys.stdin, lines
        try:
            call("chat")
        finally:
            sys.stdin = before


def _invitation(config: Path, settings: Settings) -> str:
    """How to begin: as the friends would, where they are the sample's."""
    if not is_copy(config):
        return f"Now talk to {settings.persona.name}:"
    quoted = [f"“{line}”" for line in _openers((sample_folder() / PROMPTS).read_text(encoding="utf-8").splitlines())]
    return f"Now talk to {settings.persona.name}. Friends would begin with {', '.join(quoted[:-1])} or {quoted[-1]}"


def _openers(prompts: Sequence[str]) -> Sequence[str]:
    return prompts[:3]


def _say(sentence: str) -> None:
    typer.echo(f"\n{sentence}\n")
