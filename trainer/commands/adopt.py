"""`adopt`: a bundle that was trained elsewhere becomes current here."""

from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, say, say_next


def adopt(
    file: Annotated[Path, typer.Argument(help="What 'export --bundle' wrote on another machine.")],
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Bring home a bundle that was trained elsewhere. Example: python -m trainer adopt mara.tar"""
    from persona.bundle import point_current
    from persona.config import load
    from trainer.export.bundle_file import unpack
    from trainer.progress import Bars

    with Bars(quiet=as_json) as bars:
        bundle = unpack(file, load(config), bars)
    point_current(bundle)
    if as_json:
        print_json({"bundle": bundle.folder})
    else:
        say(f"every file matches the seal: {bundle.folder}, now current")
        say_next("python -m bot chat", config)
