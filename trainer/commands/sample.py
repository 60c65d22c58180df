"""`sample`: texts of the current adapter."""

from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json


def sample(
    speaker: Annotated[str, typer.Option("--as", help="Who speaks; default: the persona.")] = "",
    scene: Annotated[str, typer.Option(help="timeline (tweets), reply, group or dm.")] = "timeline",
    count: Annotated[int, typer.Option("-n", min=1, help="How many texts.")] = 5,
    turns: Annotated[int, typer.Option(min=0, help="A whole conversation of so many turns between all speakers.")] = 0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same texts.")] = None,
    era: Annotated[
        int | None, typer.Option(min=1970, max=9999, help="The year to sound like; default: the latest.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="What the texts answer, for the scenes with others.")] = "",
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Print texts of the current adapter. Example: python -m trainer sample --scene group --turns 12"""
    from persona.config import load
    from trainer.commands.sample_texts import SampleRequest, sample_texts

    request = SampleRequest(speaker=speaker, scene=scene, count=count, turns=turns, seed=seed, year=era, answers=to)
    texts = sample_texts(load(config), request)
    if as_json:
        print_json(texts)
    else:
        typer.echo("\n\n".join(texts))
