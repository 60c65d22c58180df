"""The archive: all passages of a training split in one SQLite file with a full-text index, written once, then only read.

Those of no DM come first, then DM after DM; in each a conversation after the other, by time. So ranges of ids say what may
come to mind, and nothing else is looked at.
"""

import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, starmap
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote as quoted_path

from persona.archive.indexed_passage import IndexedPassage, searched_text, written
from persona.archive.passages import Passage
from persona.archive.ranking import USUAL_TERMS, Cue, PassageScorer, ScoredPassage, scorer_of, weights_of
from persona.archive.terms import terms_of
from persona.atomic import replacing
from persona.bundle import PRIVATE, Bundle
from persona.errors import PermanentError, UserError
from persona.transcript import TranscriptError, parse

FILE = "archive.sqlite"  # in a bundle's private folder
FORMAT = 1
MAX_TERMS = 12  # of a cue that are looked up, those that count most
MAX_POSTINGS = 10_000  # rows that their lists may hold together: a look-up takes 1 to 2 microseconds a row
CANDIDATES = 32  # passages that are scored
MAX_MATCHES = 8  # passages that a search returns
_APPLICATION = 0x616C7465
_CACHE_KIB = 8192
_DRAWS = 32  # passages that are looked at for one that may come to mind
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, dm TEXT NOT NULL,
    opened REAL NOT NULL, began REAL, ended REAL, text TEXT NOT NULL
);
CREATE TABLE conversations (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, id TEXT NOT NULL UNIQUE);
CREATE TABLE dms (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, dm TEXT NOT NULL UNIQUE);
CREATE TABLE figures (passages INTEGER NOT NULL, usual REAL NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(said, content='', tokenize='ascii');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
CREATE TABLE terms (term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
"""
_FINISH = """
INSERT INTO terms SELECT term, doc FROM vocabulary;
DROP TABLE vocabulary;
INSERT INTO words(words) VALUES ('optimize');
VACUUM;
"""


def build(path: Path, passages: Iterable[Passage]) -> int:
    """Write the archive of `passages` to `path`, whole or not at all; return how many there are. Raises UserError if there is
    no room.

    passages: those of no DM first, then DM after DM; in each those of a conversation together, conversations by time.
    """
    with replacing(path) as fresh, _writable(path), closing(sqlite3.connect(fresh, isolation_level=None)) as database:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
        database.execute("BEGIN")
        count = _Writer(database).add(passages)
        database.execute("COMMIT")
        database.executescript(_FINISH)
    return count


class _Writer:
    """Writes passages in their order."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._number = self._terms = 0

    def add(self, passages: Iterable[Passage]) -> int:
        """Write all passages; return how many there are."""
        conversation, dm, first, first_of_dm, opened = None, "", 1, 1, 0.0
        for number, passage in enumerate(passages, start=1):
            if passage.dm != dm:
                self._end("dms", dm, first_of_dm, number)
                dm, first_of_dm, opened = passage.dm, number, 0.0
            if passage.conversation != conversation:
                self._end("conversations", conversation or "", first, number)
                conversation, first = passage.conversation, number
                opened = max(opened, passage.began or 0.0)
            self._write(number, passage, first, opened)
        self._end("conversations", conversation or "", first, self._number + 1)
        self._end("dms", dm, first_of_dm, self._number + 1)
        figures = (self._number, self._terms / max(1, self._number))
        self._database.execute("INSERT INTO figures VALUES (?, ?)", figures)
        return self._number

    def _write(self, number: int, passage: Passage, first: int, opened: float) -> None:
        text = written(passage)
        terms = terms_of(searched_text(text))
        row = (number, first, passage.dm, opened, passage.began, passage.ended, text)
        self._database.execute("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._database.execute("INSERT INTO words(rowid, said) VALUES (?, ?)", (number, " ".join(terms)))
        self._number = number
        self._terms += len(terms)

    def _end(self, table: str, key: str, first: int, end: int) -> None:
        if end > first:
            self._database.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (first, end - 1, key))


class _Range(NamedTuple):
    """Ids from first to last."""

    first: int
    last: int


class _Row(NamedTuple):
    """A passage as the file has it."""

    text: str
    began: float | None
    ended: float | None
    conversation: str
    dm: str

    @property
    def passage(self) -> Passage:
        """Return it as a record. Raises TranscriptError."""
        read = parse(self.text)
        return Passage(read.turns, read.scene, read.year, self.began, self.ended, self.conversation, self.dm)


class Archive:
    """An archive that is read. May be asked from several threads."""

    def __init__(self, database: sqlite3.Connection, name: str) -> None:
        self._database = database
        self._name = name
        self._passages, self._usual = database.execute("SELECT passages, usual FROM figures").fetchone()

    @classmethod
    def open(cls, path: Path) -> "Archive":
        """Open the archive at `path`. Raises PermanentError if it is missing, damaged or of another version."""
        if not path.is_file():
            raise PermanentError(f"{path} is missing; bring the bundle again or train anew")
        address = f"file:{quoted_path(str(path.absolute()))}?mode=ro&immutable=1"
        with _readable(str(path)):
            database = sqlite3.connect(address, uri=True, check_same_thread=False)
            (application,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if (application, version) != (_APPLICATION, FORMAT):
                raise PermanentError(
                    f"{path} has format {version}, this alterego reads format {FORMAT}; update alterego or train anew"
                    if application == _APPLICATION
                    else f"{path} is no archive of alterego; bring the bundle again or train anew"
                )
            database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            return cls(database, str(path))

    @classmethod
    def empty(cls) -> "Archive":
        """Return an archive that holds nothing."""
        database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        database.executescript(_SCHEMA)
        _Writer(database).add(())
        return cls(database, "an empty archive")

    def __len__(self) -> int:
        return int(self._passages)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def search(self, cue: Cue) -> list[ScoredPassage]:
        """Return the passages that answer a cue, best first."""
        weights = weights_of(cue)
        with _readable(self._name):
            frequencies = self._frequencies(weights)
            scorer = scorer_of(weights, frequencies, self._passages, self._usual)
            asked = _looked_up(scorer, frequencies)
            if not asked:
                return []
            rows = [row for ids in self._ranges(cue) for row in self._matching(asked, ids, cue)]
            scored = [(scorer.score(terms_of(searched_text(row.text))), row) for row in rows]
            best = sorted(scored, key=lambda pair: -pair[0])[:MAX_MATCHES]
            return [ScoredPassage(score, row.passage) for score, row in best if score > 0]

    def rank(self, cue: Cue, passages: Iterable[IndexedPassage]) -> list[ScoredPassage]:
        """Return those of some passages from elsewhere that answer a cue, best first, scored as the archive's are."""
        allowed = [each for each in passages if _may_come_to_mind(each.passage, cue)]
        weights = weights_of(cue)
        with _readable(self._name):
            frequencies = Counter(self._frequencies(weights))
        frequencies.update(chain.from_iterable(weights.keys() & each.terms for each in allowed))
        scorer = scorer_of(weights, frequencies, self._passages + len(allowed), self._usual or USUAL_TERMS)
        scored = [ScoredPassage(scorer.score(each.terms), each.passage) for each in allowed]
        return sorted((each for each in scored if each.score > 0), key=lambda each: -each.score)

    def draw(self, cue: Cue, number: int) -> Passage | None:
        """Return a passage that may come to mind, whatever it says; None if there is none near. number: which, at random."""
        with _readable(self._name):
            ranges = [ids for part in self._ranges(cue) if (ids := range(part.first, part.last + 1))]
            if not ranges:
                return None
            ids = ranges[number % len(ranges)]
            drawn = (self._at(ids[(number + step) % len(ids)]) for step in range(_DRAWS))
            return next((row.passage for row in drawn if _may_come_to_mind(row, cue)), None)

    def passages(self) -> Iterator[Passage]:
        """Yield all passages, in the order in which `build` takes them."""
        with _readable(self._name):
            for row in self._database.execute(f"{_SELECT} ORDER BY passages.id"):
                yield _Row(*row).passage

    def _frequencies(self, terms: Collection[str]) -> dict[str, int]:
        query = f"SELECT term, passages FROM terms WHERE term IN ({_marks(terms)})"
        return dict(self._database.execute(query, [*terms]).fetchall())

    def _ranges(self, cue: Cue) -> list[_Range]:
        """Return the ids that may come to mind: what was said in no DM, and in this one, before the cue."""
        own = self._own(cue)
        ranges: list[_Range] = []
        for dm in dict.fromkeys(("", cue.dm)):
            if ids := self._row("SELECT first, last FROM dms WHERE dm = ?", dm):
                last = ids.last
                if cue.at is not None:
                    last = self._before(ids, cue.at)
                elif own and ids.first <= own.first <= ids.last:  # without dates, order is all there is
                    last = own.first - 1
                ranges.append(_Range(ids.first, last))
        return ranges

    def _own(self, cue: Cue) -> _Range | None:
        """Return the ids of the cue's own conversation, if it is of the archive."""
        row = "SELECT first, last FROM conversations WHERE id = ?"
        return self._row(row, cue.conversation) if cue.conversation else None

    def _row(self, query: str, key: str) -> _Range | None:
        row = self._database.execute(query, (key,)).fetchone()
        return _Range(*row) if row else None

    def _before(self, ids: _Range, at: float) -> int:
        """Return the last id of a conversation that had begun before `at`."""

        def opened(number: int) -> float:
            (time,) = self._database.execute("SELECT opened FROM passages WHERE id = ?", (number,)).fetchone()
            return float(time)

        return bisect_left(range(ids.last + 1), at, lo=ids.first, key=opened) - 1

    def _matching(self, terms: Sequence[str], ids: _Range, cue: Cue) -> list[_Row]:
        """Return the passages of some ids that hold most of these terms."""
        query = " OR ".join(f'"{term}"' for term in terms)
        rows = self._database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? AND rowid NOT BETWEEN ? AND ? "
            "ORDER BY rank LIMIT ?",
            (query, *ids, *(self._own(cue) or (0, -1)), CANDIDATES),
        )
        numbers = [number for (number,) in rows.fetchall()]
        matching = self._database.execute(f"{_SELECT} WHERE passages.id IN ({_marks(numbers)})", numbers)
        return [row for row in starmap(_Row, matching) if _may_come_to_mind(row, cue)]

    def _at(self, number: int) -> _Row:
        return _Row(*self._database.execute(f"{_SELECT} WHERE passages.id = ?", (number,)).fetchone())


_SELECT = (
    "SELECT text, began, ended, conversations.id, dm FROM passages "
    "JOIN conversations ON conversations.first = passages.conversation"
)


def archive_of(bundle: Bundle) -> Archive:
    """Return the archive of a bundle; an empty one if it has none. Raises PermanentError as `Archive.open` does."""
    path = bundle.private / FILE
    is_sealed = not bundle.seal.files or f"{PRIVATE}/{FILE}" in bundle.seal.files  # a draft has no seal yet
    return Archive.open(path) if is_sealed and path.is_file() else Archive.empty()


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _may_come_to_mind(row: "_Row | Passage", cue: Cue) -> bool:
    """Return whether a passage was said where and when the cue may know of it."""
    is_own = bool(cue.conversation) and row.conversation == cue.conversation
    is_later = cue.at is not None and row.ended is not None and row.ended >= cue.at
    return row.dm in ("", cue.dm) and not is_own and not is_later


def _looked_up(scorer: PassageScorer, frequencies: dict[str, int]) -> list[str]:
    """Return the terms of a cue to look up: those that tell most, as long as their lists are short together."""
    known = [term for term in scorer.weights if frequencies.get(term)]
    terms: list[str] = []
    left = MAX_POSTINGS
    for term in sorted(known, key=lambda term: -scorer.weights[term] * scorer.idf[term])[:MAX_TERMS]:
        left -= frequencies[term]
        if terms and left < 0:
            break
        terms.append(term)
    return terms


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Say in a sentence that a file could not be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UserError(f"{path} can't be written ({error}); make room") from error


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Say in a sentence that a file is no archive, or a damaged one."""
    try:
        yield
    except (sqlite3.DatabaseError, TranscriptError, TypeError) as error:
        raise PermanentError(f"{name} is damaged ({error}); bring the bundle again or train anew") from error
