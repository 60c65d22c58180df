"""Cleaned messages made fit for the corpus, once all of them are known: people left out, names and personal data replaced,
repetitions and other languages dropped. Each drop is told to the tally."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from persona.config import Settings
from persona.pii.scrub import scrub
from persona.transcript import UNKNOWN
from trainer.conversations import Row, parted
from trainer.duplicates import repeated
from trainer.forgotten import Forgotten
from trainer.languages import foreign, regions_of
from trainer.names_in_text import NamesInText
from trainer.people import Identity, Person, resolve
from trainer.tally import Tally


@dataclass(frozen=True, slots=True)
class Refined:
    """The rows of a corpus, and what was learned on the way. regions: countries whose phone numbers are looked for."""

    rows: Sequence[Row]
    identities: Mapping[str, Identity]
    regions: tuple[str, ...]


def refine(
    settings: Settings,
    old: Sequence[Row],
    new: Sequence[Row],
    identities: Mapping[str, Identity],
    pseudonyms: dict[str, str],
    regions: Sequence[str],
    forgotten: Forgotten,
    tally: Tally,
) -> Refined:
    """`old` rows, refined by earlier imports, and `new` ones. pseudonyms: added to. Nobody who is forgotten is in it."""
    gone = forgotten.among(identities)
    people = resolve(settings, identities, pseudonyms, gone)
    new = _without(new, lambda row: _is_left_out(settings, people[row.sender]), "left_out", tally)
    kept = [row for row in old if not _is_left_out(settings, people[row.sender])]
    masked = [_masked(settings, row, people) for row in new]
    named = _each_text(masked, NamesInText(identities, people).replaced)
    named = _each_text(named, forgotten.masking(line for row in named for line in (*row.lines, *row.quoted)))
    learned = regions_of(
        (line for row in named for line in row.lines), (one.name for one in identities.values()), regions
    )
    if settings.data.cleaning.pii:
        named = _each_text(named, lambda text: _scrubbed(text, learned, tally))
    if settings.data.cleaning.near_duplicates:
        named = _not_repeated(kept, named, people, tally)
    rows = _in_languages(settings, kept, named, people, tally)
    return Refined(rows, {key: one for key, one in identities.items() if key not in gone}, learned)


def _is_left_out(settings: Settings, person: Person) -> bool:
    return person.dropped or (settings.data.others == "drop" and not person.consent)


def _without(rows: Sequence[Row], leaves: Callable[[Row], bool], reason: str, tally: Tally) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if leaves(row):
            tally.retract(row.source, row.sender, reason)
        else:
            kept.append(row)
    return kept


def _masked(settings: Settings, row: Row, people: Mapping[str, Person]) -> Row:
    """Words of people who are to be masked are never written."""
    hidden = settings.data.others == "mask" and not people[row.sender].consent
    author = people.get(row.quoted_by)
    quoted = row.quoted
    if quoted and (settings.data.others != "context" or (author and author.dropped)):
        quoted = quoted if author and author.consent else (UNKNOWN,)
    return replace(row, lines=(UNKNOWN,) if hidden else row.lines, quoted=quoted)


def _each_text(rows: Sequence[Row], changed: Callable[[str], str]) -> list[Row]:
    return [replace(row, lines=_lines(row.lines, changed), quoted=_lines(row.quoted, changed)) for row in rows]


def _lines(lines: tuple[str, ...], changed: Callable[[str], str]) -> tuple[str, ...]:
    """A message at a time: a key may go over several of its lines."""
    return tuple(changed("\n".join(lines)).split("\n")) if lines else ()


def _scrubbed(text: str, regions: Sequence[str], tally: Tally) -> str:
    scrubbed = scrub(text, regions)
    tally.replaced.update(scrubbed.found)
    return scrubbed.text


def _not_repeated(old: Sequence[Row], new: Sequence[Row], people: Mapping[str, Person], tally: Tally) -> list[Row]:
    rows = [*old, *sorted(new, key=lambda row: row.at or 0.0)]
    again = {id(rows[place]) for place in repeated(rows, lambda row: people[row.sender].key) if place >= len(old)}
    return _without(new, lambda row: id(row) in again, "near_duplicates", tally)


def _in_languages(
    settings: Settings, old: Sequence[Row], new: Sequence[Row], people: Mapping[str, Person], tally: Tally
) -> list[Row]:
    """All rows but those of conversations in other languages than [data] languages."""
    wanted = settings.data.languages
    if not wanted:
        return [*new, *old]
    out = {id(row) for row in foreign(parted([*old, *new], people, settings.data.max_gap_minutes * 60), wanted)}
    fresh = _without(new, lambda row: id(row) in out, "languages", tally)
    return [*fresh, *(row for row in old if id(row) not in out)]
