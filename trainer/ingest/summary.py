"""What an import says of itself: plain data for programs, and sentences for what a table does not show."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from persona.config import Settings
from persona.names import normalise
from trainer.corpus.missing_parents import missing_parents
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.row import TRANSCRIPTS
from trainer.corpus.store import MISSING_PARENTS, Corpus
from trainer.ingest.pipeline import REPLIES, Imported

REJECTS_SHOWN = 5
UNREAD_SHOWN = 20
NAMES_SHOWN = 10


def import_summary(settings: Settings, imported: Imported) -> dict[str, Any]:
    """Return what was read, kept and dropped, and what the corpus holds, as plain data."""
    corpus, counts, me = imported.corpus, imported.counts, settings.persona.key
    return {
        "table": counts.table({key: person.name for key, person in corpus.people.items()}),
        "total": counts.total,
        "rejects": [
            {"file": reject.file, "offset": reject.offset, "reason": reject.reason} for reject in counts.rejects
        ],
        "rejected": counts.rejected,
        "unrecognised": counts.unrecognised,
        "rewritten": dict(counts.rewritten.most_common()),
        "replaced": dict(counts.replaced.most_common()),
        "copies": [
            {"source": source, "of": kept, "messages": count} for (source, kept), count in counts.overlaps.most_common()
        ],
        "names": dict(counts.names.most_common(NAMES_SHOWN)),
        "wanted": sum(1 for _ in missing_parents(corpus.rows, corpus.people)),
        "unread": [{"file": leftover.label, "reason": leftover.reason} for leftover in counts.unread],
        "refused": counts.refused,
        "experimental": sorted(counts.experimental),
        "group_dms": counts.group_dms,
        "not_in_exports": absent_people(settings, corpus),
        "corpus": {
            "messages": len(corpus.rows),
            "private": sum(row.conversation_type == "dm" for row in corpus.rows),
            "undated": sum(row.at is None and row.platform not in TRANSCRIPTS for row in corpus.rows),
            "conversations": len(corpus.conversations),
            "train": corpus.messages(me),
            "held_out": corpus.messages(me, ("a", "b")),
        },
    }


def absent_people(settings: Settings, corpus: Corpus) -> list[str]:
    """Return the keys of those of [people] with consent who wrote nothing in the corpus."""
    present = {corpus.people[row.sender].key for row in corpus.rows}
    return [key for key, person in settings.people.items() if person.consent and key not in present]


def absences(settings: Settings, corpus: Corpus) -> Iterator[str]:
    """Yield a sentence for each of them, with the nearest name in the exports: spelled otherwise there, they are a stranger to
    the import, and never imitated."""
    strangers = {
        normalise(name): name
        for key, identity in corpus.identities.items()
        if corpus.people[key].pseudonymous and not corpus.people[key].dropped
        for name in identity.names
    }
    for key in absent_people(settings, corpus):
        calls = [key, *map(normalise, settings.people[key].names)]
        near = next((match for call in calls for match in get_close_matches(call, strangers, n=1, cutoff=0.6)), "")
        hint = f"; did you mean {strangers[near]!r}?" if near else ""
        yield (
            f"[people] {key} agreed to be imitated, but wrote nothing in these exports under a name that is given{hint}; put the "
            f"name, handle or id that the exports have into their names in {settings.path.name}"
        )


def remarks(settings: Settings, summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of the exports was not read, and what was read without having been tried on real files."""
    rejects, count = summary["rejects"][:REJECTS_SHOWN], summary["rejected"]
    if count:
        where = settings.corpus / REJECTS
        what = "1 passage could not be read and lies" if count == 1 else f"{count:,} passages could not be read and lie"
        yield f"{what} in {where}" + ("; the first:" if count > len(rejects) else ":")
    for reject in rejects:
        yield f"  {reject['file']} at {reject['offset']}: {reject['reason']}"
    yield from summary["refused"]
    unread = summary["unread"]
    if unread:
        yield f"{len(unread):,} file{'s' if len(unread) > 1 else ''} not read" + (
            ", the first:" if len(unread) > UNREAD_SHOWN else ":"
        )
    for leftover in unread[:UNREAD_SHOWN]:
        yield f"  {leftover['file']}: {leftover['reason']}"
    if summary["unrecognised"]:
        yield f"skipped, no exports: {', '.join(summary['unrecognised'])}"
    if summary["experimental"]:
        yield (
            f"experimental, no real export was ever seen: {', '.join(summary['experimental'])}; compare the transcript with "
            "what you know was said"
        )


def notes(settings: Settings, imported: Imported, summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the table does not show, where there is something to show."""
    for title, counts in (("rewritten", summary["rewritten"]), ("personal data replaced", summary["replaced"])):
        if counts:
            yield f"{title}: " + ", ".join(f"{what} {count:,}" for what, count in counts.items())
    for copy in summary["copies"]:
        where = f"another chat of {copy['of']}" if copy["of"] == copy["source"] else copy["of"]
        yield f"{copy['source']}: {copy['messages']:,} messages stand in {where} as well and are kept once"
    if names := summary["names"]:
        words = ", ".join(f"{word} {count:,}" for word, count in names.items())
        yield f"words replaced by stand-ins, most often: {words}"
    if summary["group_dms"]:
        yield (
            f"{summary['group_dms']:,} messages of group DMs (Discord, Slack) are read as those of groups; [data] group_dms = "
            "false makes them private"
        )
    people = imported.corpus.people
    if undated := summary["corpus"]["undated"]:
        yield f"{undated:,} messages have no date that can be told; they stand in the order of their files"
    if mine := sorted(
        {
            identity.platform
            for key, identity in imported.corpus.identities.items()
            if identity.is_self and people[key].persona
        }
    ):
        yield (
            f"the account that made the export ({', '.join(mine)}) is taken for {settings.persona.name}; if it is somebody "
            'else\'s, put "Me" into their [people] names'
        )
    if summary["wanted"]:
        yield (
            f"{summary['wanted']:,} answered posts are in no export, and nothing has to be done about it; to have them too, "
            f"fill in the texts in {settings.corpus / MISSING_PARENTS}, save it as {REPLIES} beside {settings.path.name} and "
            "import again"
        )
