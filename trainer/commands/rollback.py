"""`rollback`: the version that spoke before speaks again."""

from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, say


def rollback(
    version: Annotated[
        int | None, typer.Argument(help="Which version is to speak; default: the last good one before the current.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Let an earlier version of the adapter speak again. Example: python -m trainer rollback"""
    from persona.bundle import point_current
    from persona.config import load
    from trainer.bundle.earlier import version_before, version_called

    settings = load(config)
    home = settings.adapters
    old, bundle = version_before(home) if version is None else version_called(home, version)
    point_current(bundle)
    if as_json:
        print_json({"bundle": bundle.folder, "from": old})
    else:
        say(f"{bundle.folder} is current again, version {old} no longer; a running bot speaks so once it is restarted")
