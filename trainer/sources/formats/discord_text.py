"""DiscordChatExporter's CSV and TXT: one channel a file.

Learned from its CsvMessageWriter.cs and PlainTextMessageWriter.cs. CSV: `AuthorID,Author,Date,Content,Attachments,Reactions`;
the date is ISO 8601 with a zone in files since 2.41, before that as the exporter's machine writes dates (`24-Dec-19 11:23 AM`,
`05/06/2022 7:08 AM`; without a zone, taken as UTC). TXT: a block of `Guild:` and `Channel:`, then `[date] author` and what
follows; a forward has the section {Forwarded Message}. Neither has message ids, replies or the names of those who reacted; a
CSV is known by the channel id in its name, or its name. Group DMs stand in the category `Group` of `Direct Messages`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import structs

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.discord_markup import DiscordNames, mentioned_ids, without_markup
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, WrittenTime, half_of_day, time_of_day, written_time
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

_COLUMNS = ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"]
MAX_DATE_CHARS = 64  # characters
_RULE = "=" * 62
_HEADER = re.compile(r"\[([^\]\n]{8,40})\] (\S[^\n]{0,80}?)(?: \(pinned\))?")
_NAMED = re.compile(r"(\d{1,2})-([A-Z][a-z]{2})-(\d{2,4}) (\d{1,2}):(\d{2}) ?([AP]M)?")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_SECTION = re.compile(r"\{(Attachments|Embed|Stickers|Reactions|Forwarded Message)\}")
_FORWARDED_AT = re.compile(r"Originally sent: .{4,80}")
_FILE = re.compile(r"(?P<name>.*?)\s*\[(?P<id>\d{15,21})\](?: \[part \d+\])?(?: \(\d+\))?$")
_SERVICE = re.compile(
    r"(?:Added .{1,40} to the group|Added a recipient|Left the group|Removed .{1,40} from the group|Removed a recipient"
    r"|Started a call that lasted [\d,]+ minutes|Changed the channel (?:name|icon)(?:: .*)?|Pinned a message"
    r"|Started a thread|Joined the server)\.?"
)


def _when(text: str) -> float | WrittenTime | None:
    """Return UTC seconds, or a date whose notation the whole file decides; None if neither."""
    text = text[:MAX_DATE_CHARS].strip()
    if (at := iso_timestamp(text)) is not None:
        return at
    if (match := _NAMED.fullmatch(text)) and match[2] in _MONTHS:
        day, month, year, hour, minute, half = match.groups()
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
            for entry in csv_rows(stream, name):
                if isinstance(entry, tuple):
                    dates.see(entry[1]["Date"])
        reader = _Reader(_Channel.of(name), dates)
        with tree.open(name) as stream:
            for item in csv_rows(stream, name):
                yield reader.row(item[1]) if isinstance(item, tuple) else item


class _Channel(NamedTuple):
    """The channel of a file."""

    id: str
    name: str
    type: ConversationType
    is_group_dm: bool = False

    @classmethod
    def of(cls, member: str) -> "_Channel":
        """By the file's name: `Guild - Category - channel [id].csv`."""
        stem = member.rpartition("/")[2].rpartition(".")[0]
        match = _FILE.fullmatch(stem)
        name = match["name"] if match else stem
        group = name.startswith(("Direct Messages - Group - ", "Group - "))
        private = name.startswith(("Direct Messages", "Private")) and not group
        key, title = match["id"] if match else name, name.rpartition(" - ")[2]
        return cls(key, title, "dm" if private else "group", group)


class _Reader:
    """Makes the messages of a file. Names are known from those who have spoken."""

    def __init__(self, channel: _Channel, dates: _Dates) -> None:
        self._channel = channel
        self._dates = dates
        self._ids = DerivedIds(channel.id)
        self._names = DiscordNames(channels={channel.id: channel.name})

    def row(self, row: dict[str, str]) -> Message:
        """Return the message of a row of CSV."""
        attachments = tuple(medium_of(url) for url in row["Attachments"].split(",") if url)
        self._names.note_person(row["AuthorID"], row["Author"].removesuffix("#0000"))
        return self._message(row["Date"], row["AuthorID"], row["Author"], row["Content"], attachments)

    def block(self, block: Block[tuple[str, str]]) -> Message:
        """Return the message of a block of text."""
        said = _said(block.lines)
        message = self._message(block.header[0], "", block.header[1], said.text, said.attachments)
        return structs.replace(message, forwarded_from="somebody") if said.forwarded else message

    def _message(self, date: str, number: str, author: str, text: str, attachments: tuple[str, ...]) -> Message:
        at = self._dates.timestamp(date)
        return Message(
            platform="discord",
            conversation_id=self._channel.id,
            conversation_type=self._channel.type,
            is_group_dm=self._channel.is_group_dm,
            conversation_name=self._channel.name,
            message_id=self._ids.next(at, number or author, "\n".join((text, *attachments))),
            sender_id=number,
            sender_name=author.removesuffix("#0000"),
            sender_handle=author.partition("#")[0],
            timestamp=at,
            kind="service" if _SERVICE.fullmatch(text.strip()) else "message",
            text=without_markup(text, self._names),
            mentions=tuple((person, self._names.people.get(person, "")) for person in mentioned_ids(text)),
            attachments=attachments,
        )


class _Said(NamedTuple):
    """What stands in a block of text."""

    text: str
    attachments: tuple[str, ...]
    forwarded: bool


def _recognises_csv(start: bytes) -> bool:
    return csv_header(start)[:5] == _COLUMNS[:5]


def _recognises_text(start: bytes) -> bool:
    lines = head_lines(start)
    return len(lines) > 2 and lines[0].strip("\ufeff") == _RULE and lines[1].startswith("Guild: ")


def _author(line: str) -> tuple[str, str] | None:
    match = _HEADER.fullmatch(line)
    return (match[1], match[2]) if match and _when(match[1]) is not None else None


def _read_text(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        dates = _Dates()
        with tree.open(name) as stream:
            for _, line in text_lines(stream):
                if author := _author(line):
                    dates.see(author[0])
        with tree.open(name) as stream:
            lines = text_lines(stream)
            reader = _Reader(_preamble(lines, _Channel.of(name)), dates)
            for block in blocks(lines, name, _author):
                yield reader.block(block) if isinstance(block, Block) else block


def _preamble(lines: Iterator[tuple[int, str]], channel: _Channel) -> _Channel:
    """Return the channel, as the lines between the first two rules name it."""
    named = {}
    for number, (_, line) in enumerate(lines):
        key, _, value = line.partition(": ")
        named[key] = value
        if number and line == _RULE:
            break
    guild, name = named.get("Guild", ""), named.get("Channel", channel.name)
    key = channel.id if channel.id.isdecimal() else f"{guild} - {name}"
    group = guild == "Direct Messages" and name.startswith("Group / ")
    return _Channel(key, name, "dm" if guild == "Direct Messages" and not group else "group", group)


def _said(lines: Sequence[str]) -> _Said:
    text: list[str] = []
    attachments: list[str] = []
    section, forwarded = "", False
    for line in lines:
        if line == _RULE:  # the end of the file, with the count of messages
            break
        if match := _SECTION.fullmatch(line):
            section = match[1]
            forwarded |= section == "Forwarded Message"
        elif not section or (section == "Forwarded Message" and not _FORWARDED_AT.fullmatch(line)):
            text.append(line)
        elif line.strip() and section in ("Attachments", "Stickers"):
            attachments.append(medium_of(line) if section == "Attachments" else "sticker")
    return _Said("\n".join(text).strip(), tuple(attachments), forwarded)


SOURCE = Source("DiscordChatExporter CSV", claim_each(_recognises_csv), _read_csv)
TEXT = Source("DiscordChatExporter TXT", claim_each(_recognises_text), _read_text)
