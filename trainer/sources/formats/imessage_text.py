"""iMessage, as imessage-exporter writes it as TXT: a file a chat, called after it.

Learned from ReagentX/imessage-exporter (exporters/txt.rs, 1.2 to 3). A message is a line with its date, in English
(`May 17, 2022  5:29:42 PM (Read by you after 49 seconds)`; without a zone, taken as UTC), a line with its sender, its lines,
and a blank line. The account itself is `Me`, unless the exporter was told otherwise. A reply appears twice: indented below
what it answers, and in its own place; the first tells what it answers, the second is read. Announcements are one line.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Kind, Message, Reject
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_DATE = r"([A-Z][a-z]{2} [ \d]\d, \d{4}) +(\d{1,2}:\d\d:\d\d [AP]M)"
_HEADER = re.compile(rf"( *){_DATE}(?: \(Read by .*\))?")
_ANNOUNCED = re.compile(rf"{_DATE} (\S.*)")
_REPLIED = "This message responded to an earlier message."
_EFFECT = re.compile(r"Sent with (?:Confetti|Echo|Fireworks|Balloons|Heart|Lasers|Shooting Star\w*|Sparkles|Spotlight|Slam|Loud"
                     r"|Gentle|Invisible Ink)")  # fmt: skip
_EDITED = re.compile(r"Edited .{1,60} later: (.*)")
_UNSENT = re.compile(r"(?:.{1,60} (?:deleted|unsent) (?:a message|this message).*)")
_PATH = re.compile(r"(?:[~/]|\.{0,2}/|attachments/|[A-Z]:\\)[^\n]{0,400}\.\w{2,5}(?: \(.*\))?")
_STICKER = re.compile(r"(?:\w+ )?Sticker from .{1,60}: .*")
_SERVICES = ("SharePlay Message", "Started sharing location!", "Stopped sharing location!")
_REMEMBERED = 4096  # replies whose own place is still to come
_MOST_LINES = 10_000  # of one message


class _Header(NamedTuple):
    """A line with a date. announcement: what it says besides."""

    at: float | None
    indented: bool
    announcement: str = ""


def _header(line: str) -> _Header | None:
    if found := _HEADER.fullmatch(line):
        return _Header(_timestamp(found[2], found[3]), bool(found[1]))
    if (found := _ANNOUNCED.fullmatch(line)) and not line.startswith(" "):
        return _Header(_timestamp(found[1], found[2]), False, found[3])
    return None


def _timestamp(day: str, clock: str) -> float | None:
    try:
        return datetime.strptime(f"{day} {clock}", "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


class _Opens:
    """What opens a block. An announcement stands alone; inside a message the same shape is its text before an edit."""

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, line: str) -> _Header | None:
        header = _header(line)
        if header and header.announcement and self._before.strip():
            header = None
        self._before = line
        return header


def _recognises(start: bytes) -> bool:
    lines = [line.lstrip("\ufeff") for line in head_lines(start)]
    at = next((number for number, line in enumerate(lines) if line.strip()), 0)
    first, second = lines[at : at + 1], lines[at + 1 : at + 2]
    header = _header(first[0]) if first else None
    if header is None or header.indented:
        return False
    return bool(second and second[0].strip()) if not header.announcement else any(map(_HEADER.fullmatch, lines))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        others = _others(tree, name)
        chat = _Chat(name, re.sub(r"\.txt$", "", name.rpartition("/")[2]), "group" if len(others) > 1 else "dm")
        with tree.open(name) as stream:
            found = blocks(text_lines(stream), name, _Opens())
            for block in found:
                if not isinstance(block, Block):
                    yield block
                else:
                    yield from chat.take(block)
        yield from chat.close()


def _others(tree: Tree, name: str) -> frozenset[str]:
    """Who speaks besides the account, as far as a hundred people."""
    found: set[str] = set()
    with tree.open(name) as stream:
        header: _Header | None = None
        for _, line in text_lines(stream):
            if header and not header.announcement and len(found) < 100:
                found.add(line.strip())
            header = _header(line)
    return frozenset(found - {ME, ""})


class _Said(NamedTuple):
    """The lines of a message, sorted. kind: as in Message."""

    text: str
    kinds: tuple[str, ...]
    kind: Kind
    replies: bool


class _Chat:
    """A chat while it is read: the last message, and what is known of replies to come."""

    def __init__(self, file: str, name: str, kind: ConversationType) -> None:
        self._file = file
        self._name = name
        self._type = kind
        self._ids = DerivedIds(name)
        self._open: Block[_Header] | None = None
        self._answers: list[tuple[float | None, str, str]] = []
        self._parents: OrderedDict[tuple[float | None, str, str], str] = OrderedDict()

    def take(self, block: Block[_Header]) -> Iterator[Message | Reject]:
        """Take the next block; gives the message that is complete with it."""
        if not block.header.indented:
            yield from self.close()
            self._open = block
            return
        inside = [line[4:] for line in block.lines if line.startswith("    ") or not line.strip()]
        if inside and len(self._answers) < _REMEMBERED:
            self._answers.append((block.header.at, inside[0].strip(), _said(inside[1:]).text))
        rest = [line for line in block.lines if line.strip() and not line.startswith("    ")]
        if self._open and len(self._open.lines) < _MOST_LINES:
            self._open.lines.extend(rest)  # what follows the replies to one part of a message are its other parts
        elif rest:
            yield Reject(file=self._file, offset=block.offset, reason="a reply to no message", raw="\n".join(rest))

    def close(self) -> Iterator[Message]:
        """The last message."""
        if self._open:
            message = self._message(self._open)
            for answer in self._answers:
                self._parents[answer] = message.message_id
            while len(self._parents) > _REMEMBERED:
                self._parents.popitem(last=False)
            yield message
        self._open, self._answers = None, []

    def _message(self, block: Block[_Header]) -> Message:
        header = block.header
        if header.announcement:
            sender, said = "", _Said(header.announcement, (), "service", False)
        else:
            sender = block.lines[0].strip() if block.lines else ""
            said = _said(block.lines[1:])
        parent = self._parents.pop((header.at, sender, said.text), "") if said.replies else ""
        return Message(
            platform="imessage",
            conversation_id=self._name,
            conversation_type=self._type,
            conversation_name=self._name,
            message_id=self._ids.next(header.at, sender, "\n".join((said.text, *said.kinds))),
            sender_id="",
            sender_name=sender,
            is_self=sender == ME,
            timestamp=header.at,
            kind=said.kind,
            text=said.text,
            reply_to_id=parent,
            attachments=said.kinds,
        )


def _said(lines: Sequence[str]) -> _Said:
    text: list[str] = []
    kinds: list[str] = []
    kind: Kind = "message"
    replies = reactions = False
    for line in lines:
        if reactions or line in ("Reactions:", "Tapbacks:"):
            reactions = bool(line.strip())
        elif line == _REPLIED:
            replies = True
        elif line == "Attachment missing!" or _PATH.fullmatch(line):
            kinds.append(kind_of(line.partition(" (")[0]) if line.startswith(("/", "~", ".", "a")) else "file")
        elif _STICKER.fullmatch(line):
            kinds.append("sticker")
        elif found := (_ANNOUNCED.fullmatch(line) if not text else _EDITED.fullmatch(line)):
            text = [found[found.re.groups]]
        elif not _EFFECT.fullmatch(line):
            text.append(line)
    whole = "\n".join(text).strip()
    if whole.startswith(_SERVICES):
        kind = "service"
    elif _UNSENT.fullmatch(whole):
        kind = "unsupported"
    return _Said(whole, tuple(kinds), kind, replies)


SOURCE = Source("iMessage TXT", claim_each(_recognises), _read)
