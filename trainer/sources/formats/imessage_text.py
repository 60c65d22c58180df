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
from trainer.sources.message import ConversationType, Message, Reject
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.imessage_body import ANNOUNCED, DATE, MessageBody, is_unsent, parse_body
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.source import Reading, Source, claim_each, companions

ME = "Me"
_HEADER = re.compile(rf"( *){DATE}(?: \(Read by .*\))?")
MAX_REPLIES = 4096  # replies whose own place is still to come
MAX_LINES = 10_000  # of one message


class _Header(NamedTuple):
    """A line with a date. announcement: what else it says."""

    at: float | None
    indented: bool
    announcement: str = ""


def _header(line: str) -> _Header | None:
    if match := _HEADER.fullmatch(line):
        return _Header(_timestamp(match[2], match[3]), bool(match[1]))
    if (match := ANNOUNCED.fullmatch(line)) and not line.startswith(" "):
        return _Header(_timestamp(match[1], match[2]), False, match[3])
    return None


def _timestamp(day: str, clock: str) -> float | None:
    try:
        return datetime.strptime(f"{day} {clock}", "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


class _Opens:
    """Parse lines that open a block.

    An announcement stands alone; inside a message the same shape is its text
    before an edit.
    """

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
            for block in blocks(text_lines(stream), name, _Opens()):
                if not isinstance(block, Block):
                    yield block
                else:
                    yield from chat.take(block)
        yield from chat.close()


def _others(tree: Tree, name: str) -> frozenset[str]:
    """Return who speaks besides the account, as far as a hundred people."""
    speakers: set[str] = set()
    with tree.open(name) as stream:
        header: _Header | None = None
        for _, line in text_lines(stream):
            if header and not header.announcement and len(speakers) < 100 and not is_unsent(line.strip()):
                speakers.add(line.strip())
            header = _header(line)
    return frozenset(speakers - {ME, ""})


class _Chat:
    """A chat while it is read: the last message, and what is known of replies to come."""

    def __init__(self, file: str, name: str, chat_type: ConversationType) -> None:
        self._file = file
        self._name = name
        self._type = chat_type
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
        if inside and len(self._answers) < MAX_REPLIES:
            self._answers.append((block.header.at, inside[0].strip(), parse_body(inside[1:]).text))
        rest = [line for line in block.lines if line.strip() and not line.startswith("    ")]
        if self._open and len(self._open.lines) < MAX_LINES:
            self._open.lines.extend(rest)  # what follows the replies to one part of a message are its other parts
        elif rest:
            yield Reject(file=self._file, offset=block.offset, reason="a reply to no message", raw="\n".join(rest))

    def close(self) -> Iterator[Message]:
        """Yield the last message."""
        if self._open:
            message = self._message(self._open)
            for answer in self._answers:
                self._parents[answer] = message.message_id
            while len(self._parents) > MAX_REPLIES:
                self._parents.popitem(last=False)
            yield message
        self._open, self._answers = None, []

    def _message(self, block: Block[_Header]) -> Message:
        header = block.header
        if header.announcement:
            sender, said = "", MessageBody(header.announcement, (), "service")
        else:
            sender = block.lines[0].strip() if block.lines else ""
            said = parse_body(block.lines[1:])
            if is_unsent(sender) and not said.text:
                sender, said = "", MessageBody(sender, (), "deleted")
        parent = self._parents.pop((header.at, sender, said.text), "") if said.replies else ""
        return Message(
            platform="imessage",
            conversation_id=self._name,
            conversation_type=self._type,
            conversation_name=self._name,
            message_id=self._ids.next(header.at, sender, "\n".join((said.text, *said.media))),
            sender_id="",
            sender_name=sender,
            is_self=sender == ME,
            timestamp=header.at,
            kind=said.kind,
            text=said.text,
            reply_to_id=parent,
            attachments=said.media,
            reactions=said.reactions,
        )


SOURCE = Source("iMessage TXT", claim_each(_recognises), _read, is_companion=companions(r"(?:^|/)attachments/"))
