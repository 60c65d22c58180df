"""How much and how everybody writes: figures of a corpus. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from persona.config import Settings
from persona.emoji import emoji_of
from persona.word_tokens import word_tokens
from trainer.corpus.row import Row
from trainer.corpus.segmentation import segment
from trainer.corpus.store import Corpus

UNDATED = 0  # the year of messages without a date
LENGTHS = (1, 2, 4, 8, 16, 32, 64)  # units; where a bin of lengths begins, the last one open
DELAYS = (10, 30, 60, 300, 900, 3600, 14400)  # seconds; where a bin of reply delays ends, the last one open
TOP_EMOJI = 5

_PLACEHOLDER = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class SpeakerStats:
    """One speaker's figures. years, hours, lengths, delays, emoji: messages (or emoji) by year, by hour of the day, by bin.
    delay: the median seconds between another's message and theirs in one conversation, None if they never answer.
    private: of the messages, those in private chats."""

    key: str
    name: str
    messages: int
    private: int
    units: float
    years: Mapping[int, int]
    hours: Sequence[int]
    lengths: Sequence[int]
    delays: Sequence[int]
    delay: float | None
    emoji: Mapping[str, int]


def speaker_stats(corpus: Corpus, zone: ZoneInfo, gap: float = 0) -> list[SpeakerStats]:
    """Return the figures of everybody in the corpus, the most talkative first. zone: whose hours are counted. gap: as for
    `conversations.parted`."""
    said: dict[str, list[Row]] = {}
    for row in corpus.rows:
        said.setdefault(corpus.people[row.sender].key, []).append(row)
    waited = _waited(corpus, gap)
    names = {person.key: person.name for person in corpus.people.values()}
    stats = [_figures_of(key, names[key], rows, waited.get(key, ()), zone) for key, rows in said.items()]
    return sorted(stats, key=lambda speaker: (-speaker.messages, speaker.key))


def left_out(settings: Settings, speakers: Sequence[SpeakerStats], erased: int) -> list[str]:
    """Return sentences about what these figures do not count. erased: how many people were forgotten."""
    undated = sum(speaker.years.get(UNDATED, 0) for speaker in speakers)
    lines = [
        "not counted: what imports dropped, such as reposts, repetitions and notices of bots and platforms; "
        "'python -m trainer import --look' lists it by reason"
    ]
    if not settings.data.dms:
        lines.append("not counted: private messages, for [data] dms is false")
    if settings.data.drop_speakers:
        lines.append(f"not counted: {len(settings.data.drop_speakers):,} of [data] drop_speakers")
    if erased:
        lines.append(f"not counted: {erased:,} who asked to be forgotten")
    if limit := settings.train.limit:
        lines.append(
            f"counted, but not learned from: what is older than the newest {limit:,} messages of [train] limit"
        )
    if undated:
        lines.append(f"{undated:,} messages without a date are in no year and no hour")
    return lines


def _figures_of(key: str, name: str, rows: Sequence[Row], waited: Sequence[float], zone: ZoneInfo) -> SpeakerStats:
    texts = [_PLACEHOLDER.sub("", row.text) for row in rows]
    sizes = [len(word_tokens(text)) for text in texts]
    ats = [datetime.fromtimestamp(row.at, zone) for row in rows if row.at is not None]
    years = Counter(at.year for at in ats) + Counter({UNDATED: len(rows) - len(ats)})
    hours = Counter(at.hour for at in ats)
    emoji = Counter(symbol for text in texts for symbol in emoji_of(text))
    return SpeakerStats(
        key=key,
        name=name,
        messages=len(rows),
        private=sum(row.conversation_type == "dm" for row in rows),
        units=sum(sizes) / len(rows),
        years=dict(sorted(years.items())),
        hours=[hours[hour] for hour in range(24)],
        lengths=_binned(sizes, LENGTHS),
        delays=_binned(waited, (0, *DELAYS)),
        delay=median(waited) if waited else None,
        emoji=dict(emoji.most_common(TOP_EMOJI)),
    )


def _waited(corpus: Corpus, gap: float) -> dict[str, list[float]]:
    """Seconds by which each speaker answered another one, in chats."""
    delays: dict[str, list[float]] = {}
    for before, row in _neighbours(corpus, gap):
        speaker, other = corpus.people[row.sender].key, corpus.people[before.sender].key
        if speaker != other and row.at is not None and before.at is not None:
            delays.setdefault(speaker, []).append(max(0.0, row.at - before.at))
    return delays


def _neighbours(corpus: Corpus, gap: float) -> Iterator[tuple[Row, Row]]:
    chats = [row for row in corpus.rows if row.conversation_type in ("group", "dm")]
    for part in segment(chats, corpus.people, gap):
        yield from pairwise(part.rows)


def _binned(values: Iterable[float], starts: Sequence[float]) -> list[int]:
    """Return how many of `values` lie from each start to the next; what is below the first counts there."""
    bins = [0] * len(starts)
    for value in values:
        bins[max(0, sum(value >= start for start in starts) - 1)] += 1
    return bins
