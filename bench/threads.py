"""How well conversations that go on at once are told apart, beside a plain gap, and how fast.

    python bench/threads.py [FOLDER]

FOLDER: annotated logs of irc-disentanglement (Kummerfeld et al., arXiv 1810.11118; data/dev or data/test there): each
NAME.annotation.txt beside its NAME.ascii.txt or NAME.raw.txt, annotated from line 1,000. Figures are those of its paper, over
all files together: VI (variation of information, scaled to 100), one-to-one overlap, and F of conversations of two and more
messages found exactly. Notices of the server are conversations of their own, as they are annotated.

Without it: the sample's chats, each session moved into the one before, so that two go on at once; which message belongs to
which is known. With the reply links it has (an eighth of its messages), hidden, and with addresses ("nick: ") instead, as people
write where there are no links: in those messages, or wherever somebody answers somebody else.
"""

import argparse
import math
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

sys.path.insert(0, str(Path(__file__).parent.parent))

from msgspec.structs import replace

from bot.store import HistoryMessage
from bot.talk.channel_threads import ChannelThreads
from persona.config import load
from persona.names import normalise
from persona.threads import Rhythm, ThreadFinder, named_in, rhythm_of
from trainer.corpus.row import Row
from trainer.corpus.segmentation import segment
from trainer.ingest.pipeline import import_exports
from trainer.people.identities import KnownPerson
from trainer.progress import Bars

ROOT = Path(__file__).resolve().parent.parent
REMEMBERED = 320  # messages that the bot looks for a thread in, by default
FIRST_ANNOTATED = 1000
GAP = 20 * 60.0  # seconds; of the plain gap, on IRC
_LINE = re.compile(r"\[(\d\d):(\d\d)\](?:\s*<([^>\s]+)>|\s+\*\s*(\S+)) ?(.*)")
_SESSION_GAP = 3600.0

Partition = Sequence[frozenset[str]]  # messages, each in one conversation


@dataclass(frozen=True, slots=True)
class Said:
    """A message. number: its line."""

    number: int
    nick: str
    at: float
    text: str


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="annotated logs of irc-disentanglement")
    folder = parser.parse_args().folder
    print(f"{'':42} {'VI':>6} {'1-1':>6} {'exact F':>8}")
    if folder:
        gold, gap, ours = annotated(folder)
        show(f"{folder.name}, plain gap", gold, gap)
        show(f"{folder.name}, threads", gold, ours)
    for name, rows, people, truth in interleaved():
        show(f"sample, {name}, plain gap", truth, by_gap(rows, people))
        show(f"sample, {name}, threads", truth, by_threads(rows, people))
    one, context = live_milliseconds()
    print(f"\n{import_speed():,.0f} messages a second at import; a live message takes {one:.3f} ms, ", end="")
    print(f"the context of an answer {context:.2f} ms out of {REMEMBERED} remembered messages (medians)")


def show(name: str, gold: Partition, found: Partition) -> None:
    """A row of the table."""
    vi, overlap, exact = figures(gold, found)
    print(f"{name:42} {vi:6.1f} {overlap:6.1f} {exact:8.1f}", flush=True)


def figures(gold: Partition, found: Partition) -> tuple[float, float, float]:
    """Scaled VI, one-to-one overlap and F of exact matches, in percent."""
    total = sum(map(len, gold))
    place = {message: number for number, talk in enumerate(gold) for message in talk}
    shared = Counter((number, place[message]) for number, talk in enumerate(found) for message in talk)
    table = np.zeros((len(found), len(gold)))
    variation = 0.0
    for (mine, theirs), count in shared.items():
        table[mine, theirs] = count
        variation -= count / total * (math.log2(count / len(found[mine])) + math.log2(count / len(gold[theirs])))
    rows, columns = linear_sum_assignment(table, maximize=True)
    real, guessed = ({talk for talk in talks if len(talk) > 1} for talks in (gold, found))
    exact = 200 * len(real & guessed) / max(1, len(real) + len(guessed))
    return 100 - 100 * variation / math.log2(total), 100 * table[rows, columns].sum() / total, exact


def annotated(folder: Path) -> tuple[Partition, Partition, Partition]:
    """Annotated conversations of all logs in a folder, those of a plain gap, and ours."""
    gold: list[frozenset[str]] = []
    gap: list[frozenset[str]] = []
    ours: list[frozenset[str]] = []
    for path in sorted(folder.glob("*.annotation.txt")):
        name = path.name.removesuffix(".annotation.txt")
        log = next(beside for kind in ("ascii", "raw") if (beside := folder / f"{name}.{kind}.txt").is_file())
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        links = [(int(a), int(b)) for a, b, *_ in map(str.split, filter(str.strip, path.open()))]
        judged = sorted({b for _, b in links if b >= FIRST_ANNOTATED})
        said = list(messages(lines))
        gold += partition(name, judged, connected(links))
        gap += partition(name, judged, gap_threads(said))
        ours += partition(name, judged, found_threads(said))
    return gold, gap, ours


def messages(lines: Sequence[str]) -> Iterator[Said]:
    """What people said in a log, with times that go on over midnight; the server's notices are left out."""
    day = last = 0.0
    for number, line in enumerate(lines):
        if match := _LINE.match(line):
            hour, minute, nick, doer, text = match.groups()
            at = int(hour) * 3600.0 + int(minute) * 60.0
            day += 86400.0 if at < last - 43200 else 0.0
            last = at
            yield Said(number, normalise(nick or doer), day + at, text)


def connected(links: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The conversation of each message that these links join."""
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        while parent.setdefault(number, number) != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for a, b in links:
        parent[root(a)] = root(b)
    return {number: root(number) for number in parent}


def partition(name: str, judged: Iterable[int], thread: Mapping[int, int]) -> Partition:
    """The judged lines by thread; one without is alone."""
    talks: dict[tuple[bool, int], set[str]] = defaultdict(set)
    for number in judged:
        talks[number in thread, thread.get(number, number)].add(f"{name} {number}")
    return [frozenset(talk) for talk in talks.values()]


def gap_threads(said: Sequence[Said]) -> dict[int, int]:
    """What a plain gap makes."""
    threads = {said[0].number: 0}
    for before, message in pairwise(said):
        threads[message.number] = threads[before.number] + (message.at - before.at > GAP)
    return threads


def found_threads(said: Sequence[Said]) -> dict[int, int]:
    """What we make."""
    seen: set[str] = set()
    addressed = 0
    for message in said:
        meant = named_in(message.text, lambda name: name if name in seen else None, anywhere=True)
        addressed += bool(set(meant) - {message.nick})
        seen.add(message.nick)
    finder = ThreadFinder(rhythm_of([message.at for message in said], addressed))
    return {
        message.number: finder.assign(str(message.number), message.nick, message.at, message.text).thread
        for message in said
    }


def interleaved() -> Iterator[tuple[str, list[Row], Mapping[str, KnownPerson], Partition]]:
    """The sample's chats with two sessions at a time, and which messages belong together."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(ROOT / "examples" / "persona.toml")
        data = settings.data.model_copy(update={"corpus": Path(folder) / "corpus"})
        settings = settings.model_copy(update={"data": data})
        corpus = import_exports(settings, [ROOT / "examples" / "exports"], fresh=True, bars=Bars(quiet=True)).corpus
    chats = [row for row in corpus.rows if row.conversation_type == "group"]
    talks = list(two_at_a_time([list(group.rows) for group in segment(chats, corpus.people, _SESSION_GAP)]))
    truth = [frozenset(row.message_id for row in talk) for talk in talks]
    key = {row.message_id: corpus.people[row.sender].key for talk in talks for row in talk}
    hidden = [[replace(row, reply_to="", mentions=()) for row in talk] for talk in talks]
    by_link = [[key.get(row.reply_to, "") for row in talk] for talk in talks]
    by_turn = [["", *(key[row.message_id] for row in talk)] for talk in talks]
    for name, rows in (
        ("links", talks),
        ("links hidden", hidden),
        ("addresses for links", map(addressed, hidden, by_link)),
        ("all answers addressed", map(addressed, hidden, by_turn)),
    ):
        yield name, [row for talk in rows for row in talk], corpus.people, truth


def two_at_a_time(talks: Sequence[list[Row]]) -> Iterator[list[Row]]:
    """Every second session begins 15 seconds after the one before; ids are of the whole corpus."""
    before: list[Row] = []
    for number, talk in enumerate(talks):
        moves = number % 2 and before[0].channel == talk[0].channel
        shift = (before[0].at or 0.0) + 15 - (talk[0].at or 0.0) if moves else 0.0
        place = f"{talk[0].platform} {talk[0].channel}"
        yield [
            replace(
                row,
                message_id=f"{place} {row.message_id}",
                reply_to=row.reply_to and f"{place} {row.reply_to}",
                at=(row.at or 0.0) + shift,
            )
            for row in talk
        ]
        before = talk


def addressed(talk: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """A session with the name of whom each message answers before it, where that is somebody else."""
    turns = [not number or row.sender != talk[number - 1].sender for number, row in enumerate(talk)]
    return [
        replace(row, lines=(f"{name}: {row.lines[0]}", *row.lines[1:])) if name and begins else row
        for row, name, begins in zip(talk, names, turns, strict=False)
    ]


def by_gap(rows: Sequence[Row], people: Mapping[str, KnownPerson]) -> Partition:
    """What a plain gap of the same length makes."""
    bare = [replace(row, reply_to="", mentions=(), lines=("",)) for row in rows]
    return by_threads(bare, people)


def by_threads(rows: Sequence[Row], people: Mapping[str, KnownPerson]) -> Partition:
    """What the import makes."""
    return [frozenset(row.message_id for row in group.rows) for group in segment(rows, people, _SESSION_GAP)]


def busy_channel(count: int) -> list[tuple[str, str, float, str]]:
    """So many messages of a crowd: id, speaker, time, text."""
    words = "the tram leaves from the other side now and nobody knows why it was moved"
    return [
        (str(k), f"NICK{k * k % 97}", 20.0 * k, f"nick{k * 7 % 97}: {words}" if k % 2 else words) for k in range(count)
    ]


def import_speed(count: int = 200_000) -> float:
    """Messages a second that are assigned to threads, of a crowd."""
    said = busy_channel(count)
    finder = ThreadFinder(Rhythm(600.0, is_crowded=True))
    start = time.perf_counter()
    for message in said:
        finder.assign(*message)
    return count / (time.perf_counter() - start)


def live_milliseconds(count: int = 1_000) -> tuple[float, float]:
    """Milliseconds for a new message of a channel that is known, and for the context of an answer to it, with five new
    messages each time; medians."""
    said = busy_channel(5 * count + 5_000)
    finder, threads = ThreadFinder(Rhythm(600.0, is_crowded=True)), ChannelThreads("NICK0", is_grown=False)
    for message in said[:5_000]:
        finder.assign(*message)
    taken: list[tuple[float, float]] = []
    for end in range(5_000, len(said), 5):
        start = time.perf_counter()
        finder.assign(*said[end])
        assigned = time.perf_counter()
        remembered = [
            HistoryMessage(name, who, who, (text,), at) for name, who, at, text in said[end - REMEMBERED : end]
        ]
        before = time.perf_counter()
        threads.context("c", remembered, remembered[-1].message_id, {})
        taken.append((assigned - start, time.perf_counter() - before))
    one, context = 1000 * np.median(np.array(taken), axis=0)
    return float(one), float(context)


if __name__ == "__main__":
    main()
