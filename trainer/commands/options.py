"""Options that several commands take."""

from typing import Annotated

import typer

ProgressOption = Annotated[
    bool, typer.Option("--progress", help="With --json: how far it is, as JSON on stderr, an object a line.")
]
