"""Signal, as sigtop's `export-messages` writes it by default: a text a chat, `Bo (+15550001111).txt`.

Learned from tbvdm/sigtop (fmt_text.go, recipient.go). First `Conversation: NAME (DETAIL)`, the detail being a number, a user
name, an id or `group`; then for each message fields (`From`, `Type`, `Sent`, `Received`, `Attachment`, `Reaction`, `Edited`)
and, behind an empty line, what it quotes (`> …`) and its words; of edited ones each version in lines that begin with `| `,
the last one first. Times have a zone. You are `You` there, `Me` here; stickers are not written. Its JSON has no names and,
since 2025, no texts; its short text has no ids: they are named among what was not read.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, MessageKind
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_YOU = "You"
_TYPE = re.compile(r"Type: ([a-z0-9-]+)")
_FIELD = re.compile(r"(From|Sent|Received|Attachment|Reaction|Edited|Version): (.*)")
_PERSON = re.compile(r"(.*?)(?: \(([^()]+)\))?")
_FILE = re.compile(r"(.*) \(([^(),]*)(?:, \d+ bytes)?\)")
_REACTION = re.compile(r"(\S+) from (.*)")
_CONVERSATION = "Conversation: "
_GROUP = "group"
_MAX_REMEMBERED = 4096  # messages that a quotation may name by their time


class _Header(NamedTuple):
    """The line that opens a message, with who sent it; or the chat's own, whose type is empty."""

    type: str
    sender: str


class _Person(NamedTuple):
    id: str
    name: str


class _Said(NamedTuple):
    """A message, a version of one, or what it quotes: its fields, and the lines behind them."""

    fields: list[tuple[str, str]]
    lines: list[str]

    def first(self, field: str) -> str:
        return next((value for name, value in self.fields if name == field), "")

    def every(self, field: str) -> Iterator[str]:
        return (value for name, value in self.fields if name == field)


class _Opens:
    """Says which lines open a message: its type, behind its sender or an empty line."""

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, line: str) -> _Header | None:
        before, self._before = self._before, line
        if line.startswith(_CONVERSATION) and not before:
            return _Header("", line.removeprefix(_CONVERSATION))
        match = _TYPE.fullmatch(line)
        if match and (before.startswith("From: ") or not before):
            return _Header(match[1], before.removeprefix("From: "))
        return None


def _recognises(start: bytes) -> bool:
    lines = head_lines(start)
    if not lines or not lines[0].removeprefix("\ufeff").startswith(_CONVERSATION):
        return False
    return any(_TYPE.fullmatch(line) for line in lines[2:4])


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _Chat("")
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _Opens()):
                if not isinstance(block, Block):
                    yield block
                elif block.header.type:
                    yield chat.message(block)
                else:
                    chat = _Chat(block.header.sender)


class _Chat:
    """A chat while it is read: its ids, and the latest messages by their time."""

    def __init__(self, title: str) -> None:
        who = _person(title)
        self._is_group = who.id == _GROUP
        self._name = who.name
        self._id = who.name if self._is_group else who.id or who.name
        self._ids = DerivedIds(self._id)
        self._by_time: OrderedDict[tuple[float | None, str], str] = OrderedDict()

    def message(self, block: Block[_Header]) -> Message:
        """Make a message."""
        is_self = block.header.type == "outgoing"
        sender = _Person("", ME) if is_self else _person(block.header.sender)
        whole = _said(block.lines[:-1] if _is_next_sender(block.lines) else block.lines)
        at = _timestamp(whole.first("Sent"))
        quote, version = _quote(_last_version(whole) if whole.first("Edited") else whole)
        text = "\n".join(version.lines).strip()
        media = tuple(map(_medium_of, whole.every("Attachment")))
        message_id = self._ids.next(at, sender.id or sender.name, text)
        parent = self._parent(quote)
        self._remember(at, sender, message_id)
        return Message(
            platform="signal",
            conversation_id=self._id,
            conversation_type="group" if self._is_group else "dm",
            conversation_name=self._name,
            message_id=message_id,
            sender_id=sender.id,
            sender_name=sender.name,
            is_self=is_self,
            timestamp=at,
            edited_at=_timestamp(version.first("Sent")) if whole.first("Edited") else None,
            kind=_kind(block.header.type, bool(text or media)),
            text=text,
            attachments=media,
            reply_to_id=parent,
            reply_to_name=_person(quote.first("From")).name if quote and not parent else "",
            quoted_text="\n".join(quote.lines).strip() if quote and not parent else "",
            reactions=tuple(_reactions(whole)),
        )

    def _parent(self, quote: _Said | None) -> str:
        """Return the message that is quoted; the account's own are quoted under its name."""
        if quote is None:
            return ""
        at, author = _timestamp(quote.first("Sent")), _person(quote.first("From"))
        return self._by_time.get((at, author.id or author.name), "") or self._by_time.get((at, ME), "")

    def _remember(self, at: float | None, sender: _Person, message_id: str) -> None:
        self._by_time[(at, sender.id or sender.name)] = message_id
        if len(self._by_time) > _MAX_REMEMBERED:
            self._by_time.popitem(last=False)


def _is_next_sender(lines: Sequence[str]) -> bool:
    """Return whether the last line is the first one of the message that follows."""
    return len(lines) > 1 and not lines[-2] and lines[-1].startswith("From: ")


def _said(lines: Sequence[str]) -> _Said:
    """Part fields from what follows them."""
    fields: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        if not (match := _FIELD.fullmatch(line)):
            return _Said(fields, list(lines[number:]))
        fields.append((match[1], match[2]))
    return _Said(fields, [])


def _unmarked(lines: Sequence[str], mark: str) -> list[str]:
    return [line.removeprefix(mark).removeprefix(" ") for line in lines]


def _last_version(said: _Said) -> _Said:
    """Return the last version of an edited message."""
    lines = _unmarked([line for line in said.lines if line.startswith("|")], "|")
    others = [number for number, line in enumerate(lines) if number and line.startswith("Version: ")]
    return _said(lines[: others[0]] if others else lines)


def _quote(said: _Said) -> tuple[_Said | None, _Said]:
    """Part what is quoted, in front of the words, from them."""
    lines = [*said.lines]
    while lines and not lines[0].strip():
        lines.pop(0)
    end = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if not (end and lines[0].startswith("> From: ")):
        return None, said
    quote = _said(_unmarked(lines[:end], ">"))
    return quote, _Said(said.fields, lines[end:])


def _person(written: str) -> _Person:
    match = _PERSON.fullmatch(written)
    return _Person(match[2] or "", match[1]) if match else _Person("", written)


def _timestamp(written: str) -> float | None:
    try:
        return parsedate_to_datetime(written).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _medium_of(file: str) -> str:
    match = _FILE.fullmatch(file)
    return medium_of(match[2] or match[1]) if match else "file"


def _reactions(said: _Said) -> Iterator[tuple[str, str]]:
    for written in said.every("Reaction"):
        if match := _REACTION.fullmatch(written):
            author = _person(match[2])
            yield match[1], author.id or author.name


def _kind(type_name: str, says: bool) -> MessageKind:
    if type_name in ("incoming", "outgoing"):
        return "message" if says else "unsupported"
    return "call" if type_name == "call-history" else "unsupported" if type_name == "story" else "service"


SOURCE = Source("sigtop", claim_each(_recognises), _read, experimental=True)
