"""`forget`: remove a person from the corpus and from imports to come."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, say

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.erasure import ErasureReceipt


def forget(
    name: Annotated[str, typer.Argument(help="A name, handle, id or stand-in of the person.")],
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Remove a person from the corpus and keep them out of later imports. Example: python -m trainer forget zelda_q"""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from persona.config import load
    from trainer.erasure import erase

    settings = load(config)
    receipt = erase(settings, name, datetime.now(UTC))
    if as_json:
        print_json(asdict(receipt))
    else:
        _show(settings, receipt)


def _show(settings: "Settings", receipt: "ErasureReceipt") -> None:
    """What was forgotten, and what is left to do."""
    say(
        f"forgotten: {receipt.messages:,} messages, {receipt.quotations:,} quotations, their name in {receipt.mentions:,} "
        "messages of others; later imports leave them out"
    )
    if receipt.memories:
        say(f"taken out of {receipt.memories:,} memories of adapters, which are sealed again")
    if receipt.bundles:
        folders = ", ".join(str(settings.adapters / version) for version in receipt.bundles)
        say(f"trained on them and marked: {folders}; run 'python -m trainer train', then remove those folders")
    if receipt.leftovers:
        say("grown bases and interrupted trainings are removed, for they held their words")
    say(f"the exports themselves are as they were; take them out of [people] in {settings.path.name} too")
