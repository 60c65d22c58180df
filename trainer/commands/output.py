"""What the trainer's commands print when they are done: tables for people, JSON for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from persona.bundle import CURRENT
from persona.config import Settings
from trainer.corpus.missing_parents import missing_parents
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.store import MISSING_PARENTS
from trainer.erasure import Receipt
from trainer.ingest.pipeline import REPLIES, ExportPreview, Imported
from trainer.safe_text import printed

REJECTS_SHOWN = 5


def show_import(settings: Settings, imported: Imported, as_json: bool) -> None:
    """What was read, kept and dropped, per source and speaker; then what the corpus holds."""
    summary = import_summary(settings, imported)
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    console = Console()
    console.print(_import_table(summary))
    for line in _remarks(settings, summary):
        console.print(line, style="yellow", soft_wrap=True, markup=False, highlight=False)
    for line in _notes(settings, imported, summary):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    corpus = summary["corpus"]
    console.print(
        f"corpus: {corpus['messages']:,} messages in {corpus['conversations']:,} conversations; {settings.persona.name}: "
        f"{corpus['train']:,} to train on, {corpus['held_out']:,} held out",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def show_look(preview: ExportPreview, as_json: bool) -> None:
    """What is in some exports, per source and speaker."""
    table, total = preview.counts.table(preview.names), preview.counts.total
    summary = {"table": table, "total": total, "refused": preview.counts.refused, "rejected": preview.counts.rejected}
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    console = Console()
    console.print(_import_table(summary))
    for line in preview.counts.refused:
        console.print(line, style="yellow", soft_wrap=True, markup=False, highlight=False)


def _import_table(summary: Mapping[str, Any]) -> Table:
    table = Table("source", "speaker", "read", "kept", "dropped", box=None, header_style="bold", pad_edge=False)
    for row in summary["table"]:
        dropped = ", ".join(f"{reason} {count}" for reason, count in row["dropped"].items())
        table.add_row(row["source"], printed(row["speaker"]), f"{row['read']:,}", f"{row['kept']:,}", dropped)
    total = summary["total"]
    table.add_row("all", "", f"{total['read']:,}", f"{total['kept']:,}", f"{total['dropped']:,}", style="bold")
    return table


def _notes(settings: Settings, imported: Imported, summary: Mapping[str, Any]) -> Iterator[str]:
    """What the table does not show, where there is something to show."""
    for title, counts in (("rewritten", summary["rewritten"]), ("personal data replaced", summary["replaced"])):
        if counts:
            yield f"{title}: " + ", ".join(f"{what} {count:,}" for what, count in counts.items())
    people = imported.corpus.people
    if mine := sorted(
        {one.platform for key, one in imported.corpus.identities.items() if one.is_self and people[key].persona}
    ):
        yield (
            f"the account that made the export ({', '.join(mine)}) is taken for {settings.persona.name}; if it is somebody "
            'else\'s, put "Me" into their [people] names'
        )
    if summary["wanted"]:
        yield (
            f"{summary['wanted']:,} answered posts are in no export; {settings.corpus / MISSING_PARENTS} lists them: "
            f"fill in their texts, save it as {REPLIES} beside {settings.path.name} and import again"
        )


def show_receipt(settings: Settings, receipt: Receipt, as_json: bool) -> None:
    """What was forgotten, and what is left to do."""
    if as_json:
        typer.echo(json.dumps(asdict(receipt)))
        return
    lines = [
        f"forgotten: {receipt.messages:,} messages, {receipt.quotations:,} quotations, their name in {receipt.mentions:,} "
        "messages of others; later imports leave them out",
    ]
    if receipt.bundles:
        where = ", ".join(str(settings.adapters / version) for version in receipt.bundles)
        lines.append(f"trained on them and marked: {where}; run 'python -m trainer train', then remove those folders")
    if receipt.leftovers:
        lines.append("grown bases and interrupted trainings are removed, for they held their words")
    lines.append(f"the exports themselves are as they were; take them out of [people] in {settings.path.name} too")
    for line in lines:
        Console().print(line, soft_wrap=True, markup=False, highlight=False)


def _remarks(settings: Settings, summary: Mapping[str, Any]) -> Iterator[str]:
    """What of the exports was not read, and what was read without having been tried on real files."""
    rejects, count = summary["rejects"][:REJECTS_SHOWN], summary["rejected"]
    if count:
        where = settings.corpus / REJECTS
        what = "1 passage could not be read and lies" if count == 1 else f"{count:,} passages could not be read and lie"
        yield f"{what} in {where}" + ("; the first:" if count > len(rejects) else ":")
    for reject in rejects:
        yield f"  {reject['file']} at {reject['offset']}: {reject['reason']}"
    yield from summary["refused"]
    if summary["unrecognised"]:
        yield f"skipped, no exports: {', '.join(summary['unrecognised'])}"
    if summary["experimental"]:
        yield (
            f"experimental, no real export was ever seen: {', '.join(summary['experimental'])}; compare the transcript with "
            "what you know was said"
        )


def import_summary(settings: Settings, imported: Imported) -> dict[str, Any]:
    """The same as plain data."""
    corpus, counts, me = imported.corpus, imported.counts, settings.persona.key
    return {
        "table": counts.table({key: person.name for key, person in corpus.people.items()}),
        "total": counts.total,
        "rejects": [{"file": one.file, "offset": one.offset, "reason": one.reason} for one in counts.rejects],
        "rejected": counts.rejected,
        "unrecognised": counts.unrecognised,
        "rewritten": dict(counts.rewritten.most_common()),
        "replaced": dict(counts.replaced.most_common()),
        "wanted": sum(1 for _ in missing_parents(corpus.rows, corpus.people)),
        "refused": counts.refused,
        "experimental": sorted(counts.experimental),
        "corpus": {
            "messages": len(corpus.rows),
            "private": sum(row.kind == "dm" for row in corpus.rows),
            "conversations": len(corpus.conversations),
            "train": corpus.messages(me),
            "held_out": corpus.messages(me, ("a", "b")),
        },
    }


def show_sweep(found: Mapping[str, Any], as_json: bool) -> None:
    """The best values, as lines to put into the settings."""
    if as_json:
        typer.echo(json.dumps(dict(found), default=str))
        return
    console = Console()
    console.print(f"best of {found['trials']} trials: {found['bits']:.4f} held-out bits per character", highlight=False)
    console.print("[train]", markup=False)
    for key, value in found["chosen"].items():
        console.print(f"{key} = {value}", highlight=False)
    console.print(f"plots in {found['plots']}", highlight=False, soft_wrap=True)


def show_adopted(folder: Path, as_json: bool) -> None:
    """A bundle came home."""
    if as_json:
        typer.echo(json.dumps({"bundle": str(folder)}))
    else:
        Console().print(f"every file matches the seal: {folder}, now current", highlight=False, soft_wrap=True)


def show_plan(rows: Sequence[tuple[str, str]], figures: Mapping[str, Any], as_json: bool) -> None:
    """What a training would take."""
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in rows:
        table.add_row(name, text)
    Console().print(table)


def show_export(kind: str, place: str, what: str, as_json: bool) -> None:
    """What was written where."""
    if as_json:
        typer.echo(json.dumps({"kind": kind, "path": place, "what": what}))
    else:
        Console().print(f"wrote {what} to {place}", highlight=False, soft_wrap=True, markup=False)


def show_unchanged(settings: Settings, as_json: bool) -> None:
    """Nothing was trained."""
    folder = (settings.adapters / CURRENT).resolve()
    if as_json:
        typer.echo(json.dumps({"bundle": str(folder), "metrics": None}))
    else:
        Console().print(f"unchanged: nothing new to train on; {folder} is current", highlight=False, soft_wrap=True)


def show_training(folder: Path, measured: Mapping[str, Any], as_json: bool, *, speaks: bool) -> None:
    """The lines at the end of a training. speaks: whether the bundle became current."""
    metrics = {key: value for key, value in measured.items() if key != "loss_history"}
    if as_json:
        typer.echo(json.dumps({"bundle": str(folder), "current": speaks, "metrics": metrics}, ensure_ascii=False))
        return
    console = Console()
    if metrics["bits_per_character"] is None:
        console.print("nothing was held out, so there are no figures: import more messages", style="yellow")
    else:
        per_second = metrics["tokens_per_second"]  # none of a training that was taken up at its last step
        rate = f", {per_second:,.0f} tokens/s" if per_second else ""
        console.print(
            f"held-out messages: {metrics['bits_per_character_base']:.3f} -> {metrics['bits_per_character']:.3f} "
            "bits per character, "
            f"perplexity {metrics['perplexity_base']:.1f} -> {metrics['perplexity']:.1f}; "
            f"{metrics['minutes']:.1f} minutes{rate}",
            highlight=False,
            soft_wrap=True,
        )
    _show_likeness(console, metrics["likeness"])
    for sentence in (*metrics["gate"]["reasons"], *metrics["gate"]["notes"]):
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True, markup=False)
    what = "now current" if speaks else "but not current: 'python -m trainer train --force' makes it speak all the same"
    console.print(f"sealed {folder}, {what}", highlight=False, soft_wrap=True)
    console.print(f"report: {folder / 'private' / 'report.html'}", highlight=False, soft_wrap=True)


def show_evaluation(report: Path, figures: Mapping[str, Any], as_json: bool) -> None:
    """The battery as a table: a row a figure, a column a voice; then what leaks."""
    if as_json:
        typer.echo(json.dumps({"report": str(report), **figures}, ensure_ascii=False))
        return
    console = Console()
    _show_likeness(console, figures)
    rows = figures["rows"]
    if rows:
        table = Table("figure", *rows, box=None, header_style="bold", pad_edge=False)
        for name in next(iter(rows.values())):
            table.add_row(name.replace("_", " "), *(_with_interval(row[name]) for row in rows.values()))
        console.print(table)
    for one in figures.get("canaries", ()):
        console.print(
            f"a secret said {one['said']}: exposure {one['exposure']:.1f} bits, extracted {one['extracted']} of "
            f"{one['canaries']}, past the guard {one['guarded']}; in a thousand texts {one['replies']:.0f}, past the guard "
            f"{one['guarded_replies']:.0f}",
            highlight=False,
            soft_wrap=True,
        )
    for name, figure in figures["figures"].items():
        console.print(f"{name.replace('_', ' ')}: {_with_interval(figure)}", highlight=False)
    console.print(f"report: {report}", highlight=False, soft_wrap=True)


def _show_likeness(console: Console, figures: Mapping[str, Any]) -> None:
    console.print(figures["verdict"], highlight=False, soft_wrap=True, markup=False)
    for sentence in figures["warnings"]:
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True, markup=False)


def _with_interval(figure: list[float] | None) -> str:
    return "-" if figure is None else f"{figure[0]:.3f} ±{(figure[2] - figure[1]) / 2:.2f}"
