"""`sweep`: search training settings by held-out loss."""

from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, say


def sweep(
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to search; a trial at hand is finished.")] = 60,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Search rank, alpha, learning rate, dropout and epochs. Example: python -m trainer sweep --minutes 120"""
    from dataclasses import asdict

    from persona.config import load
    from trainer.adapter.hyperparameter_search import sweep as search
    from trainer.corpus.store import load as load_corpus
    from trainer.progress import Bars

    settings = load(config)
    with Bars(quiet=as_json) as bars:
        best = search(settings, load_corpus(settings), bars, minutes=minutes)
    if as_json:
        print_json(asdict(best))
        return
    say(f"best of {best.trials} trials: {best.bits:.4f} held-out bits per character")
    say("[train]")
    for key, value in best.chosen.items():
        say(f"{key} = {value}")
    say(f"plots in {best.plots}")
