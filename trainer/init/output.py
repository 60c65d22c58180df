"""What a first run shows: the exports and who writes in them, then what was written."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from trainer.init.exports import Found
from trainer.init.first_run import Outcome
from trainer.init.writers import Writer
from trainer.safe_text import printed

WRITERS = 20  # shown; the others can be named all the same


class Prompts:
    """Asks on the terminal; on stderr, since stdout is for results."""

    def ask(self, question: str, default: str) -> str:
        """The answer, or the default where Enter is pressed."""
        return str(typer.prompt(question, default=default or None, err=True))

    def confirm(self, question: str) -> bool:
        """No where Enter is pressed."""
        return typer.confirm(f"{question}?", err=True)

    def say(self, sentence: str) -> None:
        """A line between the questions."""
        typer.echo(sentence, err=True)


def show_found(found: Sequence[Found], writers: Sequence[Writer]) -> None:
    """A line an export, a row a person."""
    console = Console(stderr=True)
    for one in found:
        console.print(f"{one.path}: {', '.join(one.formats)}", highlight=False, soft_wrap=True, markup=False)
    privately = any(writer.private for writer in writers)
    columns = ("", "who", "messages", *(["private"] if privately else []), "also")
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for number, writer in enumerate(writers[:WRITERS], 1):
        also = "the account of an export" if writer.account else ", ".join(writer.calls[1:])
        counts = [f"{count:>8,}" for count in (writer.messages, writer.private)[: 1 + privately]]
        table.add_row(f"{number:>2}", printed(writer.name), *counts, printed(also))
    console.print(table)
    if len(writers) > WRITERS:
        console.print(f"and {len(writers) - WRITERS} others; their names will do too", highlight=False)


def show_outcome(outcome: Outcome, as_json: bool) -> None:
    """The settings, and what comes next."""
    settings, me = outcome.settings, outcome.me
    config = "" if settings.path.name == "persona.toml" else f" --config {settings.path.name}"
    following = f"python -m trainer import{config}"
    if as_json:
        typer.echo(json.dumps(_plain(outcome) | {"next": following}, ensure_ascii=False))
        return
    friends = ", ".join(one.name for one in outcome.friends) or "nobody else"
    base = settings.base.model + (f" at {settings.base.revision[:12]}" if settings.base.model != "scratch" else "")
    count = me.public + (me.private if settings.data.dms else 0)
    for line in (
        f"wrote {settings.path}",
        f"persona: {me.name}, {count:,} messages; imitated too: {friends}",
        f"base: {base} ({outcome.base.why})",
        f"next: {following}",
    ):
        Console().print(printed(line), highlight=False, soft_wrap=True)


def _plain(outcome: Outcome) -> dict[str, Any]:
    settings = outcome.settings
    return {
        "settings": str(settings.path),
        "persona": settings.persona.name,
        "aliases": list(settings.persona.aliases),
        "people": list(settings.people),
        "sources": list(settings.data.sources),
        "formats": sorted({name for one in outcome.found for name in one.formats}),
        "dms": settings.data.dms,
        "base": {"model": settings.base.model, "revision": settings.base.revision, "why": outcome.base.why},
        "writers": [{"name": one.name, "messages": one.messages, "private": one.private} for one in outcome.writers],
    }
