"""One command line for both programs. Commands import what they need when they are called, so --help is quick."""

import copy
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.__main__ import app as bot
from persona.command import PROGRAM, ConfigOption, JsonOption, command_line, run
from trainer.__main__ import app as trainer

FORGET = "forget"  # the one command that both have
PANELS = {"Make a persona": trainer, "Let it speak": bot}
LOCAL = ("terminal", "studio")  # where people talk to the bot beside the platforms

app = command_line("A chat bot that sounds like one particular person.", completion=True)


@app.command(rich_help_panel="Try it")
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo is kept; made if needed.")] = Path("alterego-demo"),
) -> None:
    """Import an invented group, train on it, and chat with the result. Example: alterego demo"""
    from alterego.demo import run_demo

    run_demo(folder, app)


def _function_of(part: typer.Typer, name: str) -> Any:
    return next(command.callback for command in part.registered_commands if _name_of(command) == name)


def _name_of(command: Any) -> str:
    return str(command.name or command.callback.__name__)


def _adopt(part: typer.Typer, panel: str) -> None:
    """Take over the commands of one program, listed under a heading of their own."""
    for command in part.registered_commands:
        if _name_of(command) != FORGET:
            listed = copy.copy(command)
            listed.rich_help_panel = panel
            app.registered_commands.append(listed)


for heading, program in PANELS.items():
    _adopt(program, heading)


@app.command(FORGET, rich_help_panel="Look after it")
def forget(
    who: Annotated[
        str,
        typer.Argument(
            help="A name, handle, id or stand-in of the exports; or discord:ID, telegram:ID of a live user."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go of the exports, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; without a terminal nothing is asked.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take it back: 'import --fresh' reads them again from the exports.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Forget a person of the exports, or what the bot has stored of a live user. Example: alterego forget zelda_q"""
    from persona.errors import SettingsError
    from persona.platforms import NAMES

    platform, colon, _ = who.partition(":")
    if not (colon and platform in (*NAMES, *LOCAL)):
        _function_of(trainer, FORGET)(who, dry_run=dry_run, yes=yes, undo=undo, config=config, as_json=as_json)
    elif dry_run or undo:
        raise SettingsError(f"--dry-run and --undo are for people of the exports; {who} is a live user")
    else:
        _function_of(bot, FORGET)(who, config=config, as_json=as_json)


app.add_typer(trainer, name="trainer", hidden=True)  # `alterego trainer train`, as `make install` has always had it
app.add_typer(bot, name="bot", hidden=True)


def main() -> None:
    """Run the command that the command line names, and exit."""
    run(app, PROGRAM)
