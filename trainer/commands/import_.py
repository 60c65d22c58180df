"""`import`: read exports into the corpus, and say what became of every message."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption
from trainer.commands.options import ProgressOption
from trainer.console import print_json, print_table, say, say_next, warn

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.ingest.pipeline import ExportPreview, Imported


def import_(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Exports: files, folders, zips, tars. Default: those of the settings.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was imported before.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing and fail where anything could not be read.")
    ] = False,
    only_look: Annotated[
        bool, typer.Option("--look", help="Say what is there and who speaks, and write nothing.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Read exports into the corpus. Example: python -m trainer import ~/Downloads/twitter.zip"""
    from persona.config import load
    from persona.errors import SettingsError
    from trainer.ingest.pipeline import import_exports, preview
    from trainer.progress import Bars

    settings = load(config)
    chosen = paths or settings.sources
    if not chosen:
        raise SettingsError(f"nothing to import: name exports on the command line or in [data] sources of {config}")
    with Bars(quiet=as_json, for_programs=as_json and progress) as bars:
        if only_look:
            _show_preview(preview(settings, chosen, bars), as_json)
            return
        imported = import_exports(settings, chosen, fresh=fresh, bars=bars, strict=strict)
    show_import(settings, imported, as_json)


def show_import(settings: "Settings", imported: "Imported", as_json: bool) -> None:
    """Print what was read, kept and dropped, per source and speaker; then what the corpus holds."""
    from trainer.corpus.stand_ins import stand_in_lines, stand_ins_of
    from trainer.ingest.summary import absences, import_summary, notes, remarks

    summary = import_summary(settings, imported)
    if as_json:
        print_json(summary)
        return
    _print_counts(summary)
    warn([*remarks(settings, summary), *absences(settings, imported.corpus)])
    for line in (*notes(settings, imported, summary), *stand_in_lines(stand_ins_of(imported.corpus))):
        say(line)
    corpus = summary["corpus"]
    say(
        f"corpus: {corpus['messages']:,} messages in {corpus['conversations']:,} conversations; {settings.persona.name}: "
        f"{corpus['train']:,} to train on, {corpus['held_out']:,} held out"
    )
    say_next("python -m trainer train", settings.path)


def _show_preview(preview: "ExportPreview", as_json: bool) -> None:
    """Print what is in some exports, per source and speaker."""
    table, total = preview.counts.table(preview.names), preview.counts.total
    summary = {"table": table, "total": total, "refused": preview.counts.refused, "rejected": preview.counts.rejected}
    if as_json:
        print_json(summary)
        return
    _print_counts(summary)
    warn(preview.counts.refused)


def _print_counts(summary: Mapping[str, Any]) -> None:
    from trainer.ingest.import_counts import most_talkative

    total = summary["total"]
    print_table(
        ("source", "speaker", "read", "kept", "dropped"),
        map(_counts, most_talkative(summary["table"])),
        total=("all", "", *(f"{total[column]:,}" for column in ("read", "kept", "dropped"))),
    )


def _counts(row: Mapping[str, Any]) -> tuple[str, ...]:
    dropped = ", ".join(f"{reason} {count}" for reason, count in row["dropped"].items())
    return row["source"], row["speaker"], f"{row['read']:,}", f"{row['kept']:,}", dropped
