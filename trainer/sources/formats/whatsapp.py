"""WhatsApp's chat export of iOS and Android, in any language: `_chat.txt`, `WhatsApp Chat with NAME.txt`, zipped or not.

Learned from the public parsers Pustur/whatsapp-chat-parser, lucasrodes/whatstk and joweich/chat-miner with their test
files. iOS: `[date, time] Name: text`; Android: `date, time - Name: text`; iOS of 2016 and before: `date time: Name: text`.
Dates are in the phone's language, with its digits and halves of the day; which number is the day is decided by all dates
of a file. There are no ids, no zone (taken as UTC), and no telling a dm from a group but by who speaks. U+200E begins what
WhatsApp itself says on iOS.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Kind, Message
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, WrittenTime, unmarked, written_time
from trainer.sources.parsing.participants import SpeakerPrefixes, conversation_key, conversation_type
from trainer.sources.parsing.whatsapp_words import attached, is_call, is_gone, without_edit_mark
from trainer.sources.source import Reading, Source, claim_each

_LONGEST_STAMP = 64
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\ufeff"
_MENTION = re.compile("@\u2068([^\u2069\n]{1,80})\u2069")
_WITH = "with mit con com avec met med z s cu kanssa dengan с з со".split()
_TITLES = (
    re.compile(rf".*?whatsapp\S*(?: \S+)??(?: (?:с контактом|{'|'.join(_WITH)})| -) (.+)", re.IGNORECASE),
    re.compile(r"[與与和](.+?)的\s?whatsapp.*", re.IGNORECASE),
    re.compile(r"(.+?)(?: ile|님과의|さんとの) ?whatsapp.*", re.IGNORECASE),
)
_COPY = re.compile(r" ?\(\d{1,3}\)$")


class Header(NamedTuple):
    """A line that begins a message. said: name and text, or what WhatsApp itself says."""

    stamp: WrittenTime
    said: str


def _header(line: str) -> Header | None:
    bare = line.lstrip(_MARKS)
    if not bare or not (bare[0].isdecimal() or bare[0] == "["):
        return None
    if bare[0] == "[":
        end = bare.find("]", 0, _LONGEST_STAMP)
        stamp = written_time(bare[1:end]) if end > 0 else None
        return Header(stamp, _said(bare[end + 1 :].lstrip(" " + _MARKS[1:]))) if stamp else None
    for dash in (" - ", " – ", ": "):
        end = bare.find(dash, 0, _LONGEST_STAMP)
        if end > 0 and (stamp := written_time(bare[:end])):
            return Header(stamp, _said(bare[end + len(dash) :].lstrip(_MARKS[1:])))
    return None


def _said(text: str) -> str:
    """What stands after the time; an editor may have cut the blank off an empty message."""
    return f"{text} " if text.endswith(":") and ": " not in text else text


def _recognises(start: bytes) -> bool:
    lines = [line for line in head_lines(start) if line.strip()]
    headers = [header for line in lines[:400] if (header := _header(line))]
    opening = any(_header(line) for line in lines[:10])
    return opening and any(":" in header.said for header in headers)


@dataclass(frozen=True, slots=True)
class _Chat:
    """What only the entire file tells."""

    name: str
    speakers: SpeakerPrefixes
    order: DateOrder


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _survey(tree, name)
        people = frozenset(map(_sender, chat.speakers.names()))
        key, kind = conversation_key(chat.name, people), conversation_type(chat.name, people)
        ids = DerivedIds(key)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _header):
                yield _message(block, chat, key, kind, ids) if isinstance(block, Block) else block


def _survey(tree: Tree, name: str) -> _Chat:
    """A first reading, for the order of the dates and the names."""
    chat = _Chat(chat_name(tree.label, name), SpeakerPrefixes(": ", words=2), DateOrder())
    with tree.open(name) as stream:
        for _, line in text_lines(stream):
            if (header := _header(line)) is None:
                continue
            chat.order.see(header.stamp)
            if ": \u200e" not in header.said[:100]:
                chat.speakers.see(header.said)
    return chat


def chat_name(label: str, member: str) -> str:
    """What the chat is called, from the name WhatsApp gave the file, its folder or the zip; else nothing."""
    for place in (*reversed(member.split("/")), label):
        stem = re.sub(r"\.(txt|zip)$", "", unmarked(place), flags=re.I)
        if "whatsapp" in stem.casefold():
            stem = _COPY.sub("", stem.strip())
            return next((found[1].strip() for title in _TITLES if (found := title.fullmatch(stem))), stem)
    return ""


def _message(block: Block[Header], chat: _Chat, key: str, kind: ConversationType, ids: DerivedIds) -> Message:
    header = block.header
    at = chat.order.timestamp(header.stamp)
    sender, first = chat.speakers.split(header.said) or ("", header.said)
    sender = _sender(sender)
    whole = "\n".join((first, *block.lines))
    text, kinds = attached(without_edit_mark(whole))
    what = _kind(sender, text, bool(kinds))
    return Message(
        platform="whatsapp",
        conversation_id=key,
        conversation_type=kind,
        conversation_name=chat.name,
        message_id=ids.next(at, sender, whole),
        sender_id="",
        sender_name=sender if what in ("message", "unsupported") else "",  # iOS lets the chat itself say what happened
        timestamp=at,
        kind=what,
        text=_MENTION.sub(r"@\1", text).strip("\u200e \n"),
        mentions=tuple(("", found[1]) for found in _MENTION.finditer(text)),
        attachments=kinds,
    )


def _kind(sender: str, text: str, has_files: bool) -> Kind:
    own = not sender or (text.startswith("\u200e") and not has_files)
    if own:
        return "call" if is_call(text) else "service"
    return "unsupported" if is_gone(text) else "message"


def _sender(name: str) -> str:
    """A name without direction marks and the `~` that stands before people who are no contacts."""
    return unmarked(name).strip().removeprefix("~").strip()


SOURCE = Source("WhatsApp", claim_each(_recognises), _read)
