"""Cleaned messages made fit for the corpus, once all of them are known: people left out, names and personal data replaced,
repetitions and other languages dropped. Each drop is counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from persona.config import Settings
from persona.pii.scrub import may_hold_any, scrub
from persona.transcript import UNKNOWN
from trainer.corpus.row import Row
from trainer.corpus.segmentation import segment
from trainer.heap import give_back
from trainer.ingest.cleaning import fold_digits
from trainer.ingest.copies import without_copies
from trainer.ingest.import_counts import ImportCounts
from trainer.ingest.languages import foreign, languages_of, regions_of
from trainer.ingest.near_duplicates import repeated
from trainer.people.erasure_list import ErasureList
from trainer.people.identities import Identity, KnownPerson
from trainer.people.name_lexicon import NameLexicon
from trainer.people.redaction import NamesInText
from trainer.people.resolution import resolve
from trainer.people.text_scan import CharacterClasses, TextScan

STEP = 1000  # rows
_SIGNS = CharacterClasses(
    lambda char: may_hold_any(char) or char in "(["
)  # of "(at)" and "[at]"; every other sign is one character


@dataclass(frozen=True, slots=True)
class Postprocessed:
    """The rows of a corpus, and what was learned on the way. regions: countries whose phone numbers are looked for."""

    rows: Sequence[Row]
    identities: Mapping[str, Identity]
    regions: tuple[str, ...]


def postprocess(
    settings: Settings,
    old: Sequence[Row],
    new: Sequence[Row],
    identities: Mapping[str, Identity],
    pseudonyms: dict[str, str],
    regions: Sequence[str],
    erasure_list: ErasureList,
    counts: ImportCounts,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Postprocessed:
    """`old` rows, processed by earlier imports, and `new` ones. pseudonyms: added to. Nobody who is forgotten is in it.
    on_rows: told of rows that are done, a thousand at a time."""
    gone = erasure_list.among(identities)
    people = resolve(settings, identities, pseudonyms, gone)
    left_out = {key for key, person in people.items() if _is_left_out(settings, person)}
    if left_out:
        new = _without(new, lambda row: row.sender in left_out, "left_out", counts)
        old = [row for row in old if row.sender not in left_out]
    kept, masked = _masked(settings, old, people), _masked(settings, new, people)
    texts = [line for row in masked for line in row.all_lines]
    languages = languages_of(texts)
    learned = regions_of(texts, (identity.name for identity in identities.values()), languages, regions)
    lexicon = NameLexicon(languages)
    names, mask_erased = NamesInText(identities, people, lexicon), erasure_list.masking(texts, lexicon)
    signed = bytearray(len(masked) + len(kept))

    def look_for_signs(chunk: slice, scan: TextScan) -> None:
        signed[chunk] = scan.holding(_SIGNS).tobytes()

    named = names.learn([*masked, *kept] if kept else masked, look_for_signs)
    scrub_text = _scrubber(settings, learned, counts)
    fold = fold_digits if settings.data.cleaning.runs else str

    def named_text(row: Row) -> Callable[[str], str]:
        here = (row.platform, row.channel)
        return lambda text: fold(scrub_text(mask_erased(names.replaced(text, here))))

    everywhere = bool(erasure_list.words)
    fresh = list(masked)
    del masked, new  # of a message that was rewritten, the words as they were
    done = 0
    for place in range(len(fresh)) if everywhere else _either(named, signed, len(fresh)):
        row = fresh[place]
        changed = named_text(row) if everywhere or named[place] else lambda text: fold(scrub_text(text))
        fresh[place] = _rewritten(row, changed)
        if place - done >= STEP:
            on_rows(place - done)
            done = place
    on_rows(len(fresh) - done)
    counts.names.update(names.counts)
    kept, once = _each_once(kept, fresh, people, counts)
    if settings.data.cleaning.near_duplicates:
        once = _not_repeated(kept, once, people, counts)
        give_back()
    rows = _in_languages(settings, kept, once, people, counts)
    return Postprocessed(rows, {key: identity for key, identity in identities.items() if key not in gone}, learned)


def _either(named: bytearray, signed: bytearray, count: int) -> list[int]:
    """Return the places below `count` of rows that hold a name, or a sign of personal data."""
    places: list[int] = np.flatnonzero(
        np.frombuffer(named, np.bool_, count) | np.frombuffer(signed, np.bool_, count)
    ).tolist()
    return places


def _is_left_out(settings: Settings, person: KnownPerson) -> bool:
    return person.dropped or (settings.data.others == "drop" and not person.consent)


def _without(rows: Sequence[Row], leaves: Callable[[Row], bool], reason: str, counts: ImportCounts) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if leaves(row):
            counts.retract(row.source, row.sender, reason)
        else:
            kept.append(row)
    return kept


def _masked(settings: Settings, rows: Sequence[Row], people: Mapping[str, KnownPerson]) -> Sequence[Row]:
    """Return rows with the words of people who are to be masked replaced by […]: they are never written."""
    if settings.data.others == "context" and not any(person.dropped for person in people.values()):
        return rows
    return [_masked_row(settings, row, people) for row in rows]


def _masked_row(settings: Settings, row: Row, people: Mapping[str, KnownPerson]) -> Row:
    hidden = settings.data.others == "mask" and not people[row.sender].consent
    quoted = row.quoted
    author = quoted and people.get(quoted.author)
    if quoted and (settings.data.others != "context" or (author and author.dropped)):
        quoted = quoted if author and author.consent else replace(quoted, lines=(UNKNOWN,))
    if not hidden and quoted == row.quoted:
        return row
    return replace(row, lines=(UNKNOWN,) if hidden else row.lines, quoted=quoted)


def _rewritten(row: Row, changed: Callable[[str], str]) -> Row:
    lines = _lines(row.lines, changed)
    quoted = row.quoted and replace(row.quoted, lines=_lines(row.quoted.lines, changed))
    return row if (lines, quoted) == (row.lines, row.quoted) else replace(row, lines=lines, quoted=quoted)


def _lines(lines: tuple[str, ...], changed: Callable[[str], str]) -> tuple[str, ...]:
    """Return a message at a time: a key may go over several of its lines."""
    if len(lines) == 1:
        return (changed(lines[0]),)
    return tuple(changed("\n".join(lines)).split("\n")) if lines else ()


def _scrubber(settings: Settings, regions: Sequence[str], counts: ImportCounts) -> Callable[[str], str]:
    """Takes personal data out of a text and counts it."""

    def scrubbed(text: str) -> str:
        result = scrub(text, regions)
        if result.kinds:
            counts.replaced.update(result.kinds)
        return result.text

    return scrubbed if settings.data.cleaning.pii else str


def _each_once(
    old: Sequence[Row], new: Sequence[Row], people: Mapping[str, KnownPerson], counts: ImportCounts
) -> tuple[Sequence[Row], Sequence[Row]]:
    """Old and new rows without copies of the same talk in another export."""
    rows = [*old, *new] if old else new
    copies = without_copies(rows, people, len(old))
    if copies.rows is rows:
        return old, new
    for place in copies.dropped:
        if place >= len(old):
            counts.retract(rows[place].source, rows[place].sender, "copies")
    counts.overlaps.update(copies.overlaps)
    left = len(old) - sum(place < len(old) for place in copies.dropped)
    return list(copies.rows[:left]), list(copies.rows[left:])


def _not_repeated(
    old: Sequence[Row], new: Sequence[Row], people: Mapping[str, KnownPerson], counts: ImportCounts
) -> Sequence[Row]:
    rows = [*old, *sorted(new, key=lambda row: row.at or 0.0)]
    speakers = {key: person.key for key, person in people.items()}
    again = {id(rows[place]) for place in repeated(rows, lambda row: speakers[row.sender]) if place >= len(old)}
    return _without(new, lambda row: id(row) in again, "near_duplicates", counts) if again else new


def _in_languages(
    settings: Settings, old: Sequence[Row], new: Sequence[Row], people: Mapping[str, KnownPerson], counts: ImportCounts
) -> Sequence[Row]:
    """Return all rows but those of conversations in other languages than [data] languages."""
    languages = settings.data.languages
    if not languages:
        return [*new, *old] if old else new
    out = {id(row) for row in foreign(segment([*old, *new], people, settings.data.max_gap_minutes * 60), languages)}
    fresh = _without(new, lambda row: id(row) in out, "languages", counts)
    return [*fresh, *(row for row in old if id(row) not in out)]
