"""DiscordChatExporter's CSV and TXT: one channel a file.

Learned from its CsvMessageWriter.cs and PlainTextMessageWriter.cs. CSV: `AuthorID,Author,Date,Content,Attachments,Reactions`;
the date is ISO 8601 with a zone in files since 2.41, before that as the exporter's machine writes dates (`24-Dec-19 11:23 AM`,
`05/06/2022 7:08 AM`; without a zone, taken as UTC). TXT: a block of `Guild:` and `Channel:`, then `[date] author` and what
follows. Neither has message ids or replies; a CSV is known by the channel id in its name, or its name.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, WrittenTime, half_of_day, time_of_day, written_time
from trainer.sources.source import Reading, Source, claim_each

_COLUMNS = ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"]
_LONGEST_DATE = 64  # characters
_RULE = "=" * 62
_HEADER = re.compile(r"\[([^\]\n]{8,40})\] (\S[^\n]{0,80}?)(?: \(pinned\))?")
_NAMED = re.compile(r"(\d{1,2})-([A-Z][a-z]{2})-(\d{2,4}) (\d{1,2}):(\d{2}) ?([AP]M)?")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_SECTION = re.compile(r"\{(Attachments|Embed|Stickers|Reactions)\}")
_FILE = re.compile(r"(?P<name>.*?)\s*\[(?P<id>\d{15,21})\](?: \[part \d+\])?(?: \(\d+\))?$")
_SERVICE = re.compile(
    r"(?:Added .{1,40} to the group|Added a recipient|Left the group|Removed .{1,40} from the group|Removed a recipient"
    r"|Started a call that lasted [\d,]+ minutes|Changed the channel (?:name|icon)(?:: .*)?|Pinned a message"
    r"|Started a thread|Joined the server)\.?"
)
_CUSTOM_EMOJI = re.compile(r"<a?(:\w{2,32}:)\d{15,21}>")


def _when(text: str) -> float | WrittenTime | None:
    """UTC seconds, or a date in a notation of which the file decides; None where this is no date."""
    text = text[:_LONGEST_DATE].strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if (found := _NAMED.fullmatch(text)) and found[2] in _MONTHS:
        day, month, year, hour, minute, half = found.groups()
        clock = time_of_day(hour, minute, None, half_of_day(half or ""))
        numbers = (year if len(year) == 4 else f"20{year}", str(_MONTHS.index(month) + 1), day)
        return WrittenTime(numbers, clock) if clock else None
    return written_time(text)


class _Dates:
    """The dates of a file. Call see() with each first, then timestamp()."""

    def __init__(self) -> None:
        self._order = DateOrder()

    def see(self, text: str) -> None:
        if isinstance(when := _when(text), WrittenTime):
            self._order.see(when)

    def timestamp(self, text: str) -> float | None:
        when = _when(text)
        return self._order.timestamp(when) if isinstance(when, WrittenTime) else when


def _read_csv(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        dates = _Dates()
        with tree.open(name) as stream:
            for found in csv_rows(stream, name):
                if isinstance(found, tuple):
                    dates.see(found[1]["Date"])
        channel = _Channel.of(name)
        ids = DerivedIds(channel.id)
        with tree.open(name) as stream:
            for found in csv_rows(stream, name):
                yield _row(found[1], channel, dates, ids) if isinstance(found, tuple) else found


class _Channel(NamedTuple):
    """The channel of a file."""

    id: str
    name: str
    type: ConversationType

    @classmethod
    def of(cls, member: str) -> "_Channel":
        """By the file's name: `Guild - Category - channel [id].csv`."""
        stem = member.rpartition("/")[2].rpartition(".")[0]
        found = _FILE.fullmatch(stem)
        name = found["name"] if found else stem
        kind: ConversationType = "dm" if name.startswith(("Direct Messages", "Private")) else "group"
        return cls(found["id"] if found else name, name.rpartition(" - ")[2], kind)


def _row(row: dict[str, str], channel: _Channel, dates: _Dates, ids: DerivedIds) -> Message:
    kinds = tuple(kind_of(one) for one in row["Attachments"].split(",") if one)
    return _message(channel, ids, dates.timestamp(row["Date"]), row["AuthorID"], row["Author"], row["Content"], kinds)


def _message(
    channel: _Channel, ids: DerivedIds, at: float | None, number: str, author: str, text: str, kinds: tuple[str, ...]
) -> Message:
    return Message(
        platform="discord",
        conversation_id=channel.id,
        conversation_type=channel.type,
        conversation_name=channel.name,
        message_id=ids.next(at, number or author, "\n".join((text, *kinds))),
        sender_id=number,
        sender_name=author.removesuffix("#0000"),
        sender_handle=author.partition("#")[0],
        timestamp=at,
        kind="service" if _SERVICE.fullmatch(text.strip()) else "message",
        text=_CUSTOM_EMOJI.sub(r"\1", text),
        attachments=kinds,
    )


def _recognises_csv(start: bytes) -> bool:
    return csv_header(start)[:5] == _COLUMNS[:5]


def _recognises_text(start: bytes) -> bool:
    lines = head_lines(start)
    return len(lines) > 2 and lines[0].strip("\ufeff") == _RULE and lines[1].startswith("Guild: ")


def _author(line: str) -> tuple[str, str] | None:
    found = _HEADER.fullmatch(line)
    return (found[1], found[2]) if found and _when(found[1]) is not None else None


def _read_text(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        dates = _Dates()
        with tree.open(name) as stream:
            for _, line in text_lines(stream):
                if author := _author(line):
                    dates.see(author[0])
        with tree.open(name) as stream:
            lines = text_lines(stream)
            channel = _preamble(lines, _Channel.of(name))
            ids = DerivedIds(channel.id)
            for block in blocks(lines, name, _author):
                yield _of_block(block, channel, dates, ids) if isinstance(block, Block) else block


def _preamble(lines: Iterator[tuple[int, str]], channel: _Channel) -> _Channel:
    """The channel, as the lines between the first two rules name it."""
    named = {}
    for number, (_, line) in enumerate(lines):
        key, _, value = line.partition(": ")
        named[key] = value
        if number and line == _RULE:
            break
    guild, name = named.get("Guild", ""), named.get("Channel", channel.name)
    key = channel.id if channel.id.isdecimal() else f"{guild} - {name}"
    return _Channel(key, name, "dm" if guild == "Direct Messages" else "group")


def _of_block(block: Block[tuple[str, str]], channel: _Channel, dates: _Dates, ids: DerivedIds) -> Message:
    date, author = block.header
    text: list[str] = []
    kinds: list[str] = []
    section = ""
    for line in block.lines:
        if line == _RULE:  # the end of the file, with the count of messages
            break
        if found := _SECTION.fullmatch(line):
            section = found[1]
        elif not section:
            text.append(line)
        elif line.strip() and section in ("Attachments", "Stickers"):
            kinds.append(kind_of(line) if section == "Attachments" else "sticker")
    return _message(channel, ids, dates.timestamp(date), "", author, "\n".join(text).strip(), tuple(kinds))


SOURCE = Source("DiscordChatExporter CSV", claim_each(_recognises_csv), _read_csv)
TEXT = Source("DiscordChatExporter TXT", claim_each(_recognises_text), _read_text)
