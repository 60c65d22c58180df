"""`forget`: remove a person from the corpus and from imports to come; or take that back."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, safe_text, say, say_next

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.erasure import Erasure, ErasureReceipt


def forget(
    name: Annotated[str, typer.Argument(help="A name, handle, id or stand-in of the person.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; without a terminal nothing is asked.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take it back: 'import --fresh' reads them again from the exports.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Remove a person from the corpus and keep them out of later imports. Example: python -m trainer forget zelda_q"""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from persona.config import load
    from persona.errors import SettingsError, UserError
    from trainer.erasure import carry_out, plan_erasure, undo_erasure

    settings = load(config)
    if undo:
        if dry_run:
            raise SettingsError("--undo and --dry-run don't go together; leave one of them out")
        _show_undone(settings, undo_erasure(settings, name), as_json)
        return
    erasure = plan_erasure(settings, name, datetime.now(UTC))
    if not (dry_run or yes or as_json or _agrees(erasure)):
        raise UserError("nothing was forgotten")
    receipt = erasure.receipt if dry_run else carry_out(settings, erasure)
    if as_json:
        print_json(asdict(receipt) | ({"dry_run": True} if dry_run else {}))
    elif dry_run:
        say(f"would forget {_who(erasure)}: {_counts(receipt)}; nothing was changed")
    else:
        _show(settings, receipt, name)


def _agrees(erasure: "Erasure") -> bool:
    """Ask on the terminal; without one, who wrote the command has decided."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return typer.confirm(f"Forget {_who(erasure)}: {_counts(erasure.receipt)}", err=True)


def _who(erasure: "Erasure") -> str:
    return safe_text(" alias ".join(erasure.names))


def _counts(receipt: "ErasureReceipt") -> str:
    return (
        f"{receipt.messages:,} messages, {receipt.quotations:,} quotations, their name in {receipt.mentions:,} messages of "
        "others"
    )


def _show(settings: "Settings", receipt: "ErasureReceipt", name: str) -> None:
    """What was forgotten, and what is left to do."""
    say(f"forgotten: {_counts(receipt)}; later imports leave them out")
    if receipt.memories:
        say(f"taken out of {receipt.memories:,} memories of adapters, which are sealed again")
    if receipt.bundles:
        folders = ", ".join(str(settings.adapters / version) for version in receipt.bundles)
        say(f"trained on them and marked: {folders}; run 'python -m trainer train', then remove those folders")
    if receipt.leftovers:
        say("grown bases and interrupted trainings are removed, for they held their words")
    say(f"the exports themselves are as they were; take them out of [people] in {settings.path.name} too")
    say(f"to take it back: python -m trainer forget --undo {shlex.quote(name)}")
    if receipt.bundles:
        say_next("python -m trainer train", settings.path)


def _show_undone(settings: "Settings", receipt: Mapping[str, Any], as_json: bool) -> None:
    """What is given back, and by what."""
    if as_json:
        print_json({"undone": True, "at": receipt["at"], "messages": receipt["messages"]})
        return
    say(
        f"no longer forgotten; their {receipt['messages']:,} messages are in the exports still, and come back with the next "
        "whole import"
    )
    say_next("python -m trainer import --fresh", settings.path)
