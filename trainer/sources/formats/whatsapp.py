"""WhatsApp's chat export of iOS and Android, in any language, zipped or not.

Learned from the public parsers Pustur/whatsapp-chat-parser, lucasrodes/whatstk and joweich/chat-miner with their test
files. iOS: `[date, time] Name: text`; Android: `date, time - Name: text`; iOS of 2016 and before: `date time: Name: text`;
copied from WhatsApp Web: `[time, date] Name: text`. A file has one of these notations, so a list of dates in a message
stays there.
Dates are in the phone's language, with its digits and halves of the day; which number is the day is decided by all dates
of a file. There are no ids, no zone (taken as UTC), and no telling a dm from a group but by who speaks. U+200E begins what
WhatsApp itself says on iOS.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.local_dates import DateOrder, LateHours, unmarked
from trainer.sources.parsing.participants import SpeakerPrefixes, conversation_key, conversation_type
from trainer.sources.parsing.whatsapp_headers import Header, Notation, choose_notations, first_name, parse_header
from trainer.sources.parsing.whatsapp_notices import (
    is_call,
    is_call_record,
    is_doing,
    is_done,
    is_encryption_notice,
    is_gone,
    is_group_call,
    is_reaction,
    is_waiting,
    may_be_notice,
    shared,
)
from trainer.sources.parsing.whatsapp_words import attached, without_edit_mark
from trainer.sources.source import Reading, Source, claim_each, companions

_MAX_NOTATIONS = 64
_MAX_PEOPLE = 4096
_MAX_PASTED = 200  # headers in a row that may be pasted text
_MENTION = re.compile("@\u2068([^\u2069\n]{1,80})\u2069")
_WITH = "with mit con com avec met med z s cu kanssa dengan с з со".split()
_TITLES = (
    re.compile(rf".*?whatsapp\S*(?: \S+)??(?: (?:с контактом|{'|'.join(_WITH)})| -) (.+)", re.IGNORECASE),
    re.compile(r"[與与和](.+?)的\s?whatsapp.*", re.IGNORECASE),
    re.compile(r"(.+?)(?: ile|님과의|さんとの) ?whatsapp.*", re.IGNORECASE),
)
_COPY = re.compile(r" ?\(\d{1,3}\)$")


def _recognises(start: bytes) -> bool:
    lines = [line for line in head_lines(start) if line.strip()]
    headers = [header for line in lines[:400] if (header := parse_header(line))]
    opening = any(parse_header(line) for line in lines[:10])
    return opening and any(":" in header.said for header in headers)


@dataclass(frozen=True, slots=True)
class _Chat:
    """What only the entire file tells."""

    name: str
    speakers: SpeakerPrefixes
    people: frozenset[str]
    notations: frozenset[tuple[str, str]]
    orders: dict[str, DateOrder]
    forward: frozenset[str]
    _is_name: dict[str, bool] = field(default_factory=dict)

    def names_person(self, sender: str) -> bool:
        """Return whether the text before a colon is a name: `Ana changed the subject` isn't."""
        if sender not in self._is_name:
            known = next((name for name in self.people if name != sender and sender.startswith(f"{name} ")), "")
            headline = _is_headline(sender) or is_waiting(sender, self.people - {sender})
            self._is_name[sender] = not headline and not (known and is_doing(sender[len(known) :]))
        return self._is_name[sender]

    def timestamp(self, header: Header) -> float | None:
        """UTC seconds; None if there is no such date."""
        return self.orders[header.shape].timestamp(header.stamp)


class _Opens:
    """Says which lines open a message.

    Lines in another notation than the file's are pasted text, and so are lines that step back in time by somebody who
    speaks nowhere else.
    """

    def __init__(self, chat: _Chat) -> None:
        self._chat = chat
        self._last = 0.0
        self._pasted = 0
        self._late = LateHours()

    def __call__(self, line: str) -> Header | None:
        header = parse_header(line)
        if header is None or (header.shape, header.stamp.words) not in self._chat.notations:
            return None
        stamp = self._late.settled(header.stamp)
        if stamp is not header.stamp:
            header = header._replace(stamp=stamp)
        at = self._chat.timestamp(header)
        if at is None:
            return header
        if at < self._last and self._is_pasted(header):
            self._pasted += 1
            return None
        self._last, self._pasted = at, 0
        return header

    def _is_pasted(self, header: Header) -> bool:
        outsider = first_name(header.said) not in self._chat.forward
        return outsider or 0 < self._pasted < _MAX_PASTED


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _survey(tree, name)
        key, chat_type = conversation_key(chat.name, chat.people), conversation_type(chat.name, chat.people)
        ids = DerivedIds(key)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _Opens(chat)):
                if not isinstance(block, Block):
                    yield block
                elif chat.timestamp(block.header) is None:
                    reason = "no such date, or of an unknown calendar"
                    yield Reject(file=name, offset=block.offset, reason=reason, raw=block.header.said)
                else:
                    yield _message(block, chat, key, chat_type, ids)


def _survey(tree: Tree, name: str) -> _Chat:
    """Read a first time, for the notation, the order of dates and the names."""
    title = chat_name(tree.label, name)
    seen: dict[tuple[str, str], Notation] = {}
    orders: dict[str, DateOrder] = {}
    count = 0
    with tree.open(name) as stream:
        for _, line in text_lines(stream):
            if (header := parse_header(line)) is None:
                continue
            count += 1
            key = (header.shape, header.stamp.words)
            if key not in seen and len(seen) >= _MAX_NOTATIONS:
                continue
            notation = seen.setdefault(key, Notation(*key, count))
            back = orders.setdefault(header.shape, DateOrder()).see(header.stamp)
            notation.last, notation.count = count, notation.count + 1
            if ": \u200e" not in header.said[:100] and not (count == 1 and is_encryption_notice(header.said)):
                _see_speaker(notation, header.said, back, title)
    return _chat(title, choose_notations(seen.values()), orders)


def _see_speaker(notation: Notation, said: str, back: bool, title: str) -> None:
    name, colon, text = said.partition(": ")
    if colon and title and _sender(name) == title and is_done(text):
        return  # iOS writes what happens to a group under the group's name
    notation.speakers.see(said)
    if colon and not back and len(notation.forward) < _MAX_PEOPLE:
        notation.forward.add(name)


def _chat(title: str, chosen: "list[Notation]", orders: dict[str, DateOrder]) -> _Chat:
    speakers = SpeakerPrefixes(": ", words=2)
    for notation in chosen:
        speakers.add(notation.speakers)
    forward = frozenset().union(*(notation.forward for notation in chosen))
    names = {name: _sender(name) for name in speakers.names() if not _is_headline(name)}
    insiders = frozenset(person for name, person in names.items() if first_name(name) in forward)
    if len(insiders) > 2:  # in a group somebody may well speak once, and late
        insiders, forward = frozenset(names.values()), frozenset(map(first_name, names))
    return _Chat(
        title,
        speakers,
        insiders,
        frozenset((notation.shape, notation.words) for notation in chosen),
        orders,
        forward,
    )


def _is_headline(name: str) -> bool:
    """Return whether what stands before a colon is no name: `Group call: Bo joined`."""
    return is_group_call(name)


def chat_name(label: str, member: str) -> str:
    """Return the chat's name, as WhatsApp called the file, its folder or the zip."""
    for place in (*reversed(member.split("/")), label):
        stem = re.sub(r"\.(txt|zip)$", "", unmarked(place), flags=re.I)
        if "whatsapp" in stem.casefold():
            stem = _COPY.sub("", stem.strip())
            return next((match[1].strip() for title in _TITLES if (match := title.fullmatch(stem))), stem)
    return ""


def _message(block: Block[Header], chat: _Chat, key: str, chat_type: ConversationType, ids: DerivedIds) -> Message:
    header = block.header
    at = chat.timestamp(header)
    sender, first = _speaker(chat, header.said)
    whole = "\n".join((first, *block.lines))
    kind, text, attachments = _content(chat, sender, without_edit_mark(whole))
    return Message(
        platform="whatsapp",
        conversation_id=key,
        conversation_type=chat_type,
        conversation_name=chat.name,
        message_id=ids.next(at, sender, whole),
        sender_id="",
        sender_name=sender if kind in ("message", "unsupported") else "",  # iOS lets the chat itself say what happened
        timestamp=at,
        kind=kind,
        text=_MENTION.sub(r"@\1", text).strip("\u200e \n"),
        mentions=tuple(("", match[1]) for match in _MENTION.finditer(text)),
        attachments=attachments,
    )


def _speaker(chat: _Chat, said: str) -> tuple[str, str]:
    """Name and text; the name is empty for WhatsApp's own notices."""
    split = chat.speakers.split(said)
    if split is None:
        return "", said
    sender = _sender(split[0])
    return (sender, split[1]) if chat.names_person(sender) else ("", said)


def _content(chat: _Chat, sender: str, text: str) -> tuple[MessageKind, str, tuple[str, ...]]:
    """Kind, words and attachments of what is said under a name."""
    marked = text.startswith("\u200e")
    if not sender:
        return "call" if is_call(text) else "service", text, ()
    if is_gone(text):
        return "unsupported", text, ()
    notable = may_be_notice(text)
    if notable and is_call_record(text):
        return "call", text, ()
    if parts := shared(text, notable):
        return "message", *parts
    words, media = attached(text) if notable or ")" in text else (text, ())
    if media:
        return "message", words, media
    if marked or is_reaction(text) or _is_service(chat, sender, text):
        return "call" if is_call(text) else "service", text, ()
    return "message", text, ()


def _is_service(chat: _Chat, sender: str, text: str) -> bool:
    """Return whether WhatsApp speaks under a name without marking it.

    The name is the chat's, or that of a person whom the text then names.
    """
    if sender == chat.name and (is_encryption_notice(text) or (sender not in chat.people and len(chat.people) > 1)):
        return True
    about = _sender(text)
    return about.startswith(f"{sender} ") and is_doing(about[len(sender) :])


def _sender(name: str) -> str:
    """Return a name without marks and the `~` before people who are no contacts."""
    return unmarked(name).strip().removeprefix("~").strip()


SOURCE = Source(
    "WhatsApp", claim_each(_recognises), _read, is_companion=companions(r"(?:^|/)\d{8}-[^/]+$|-WA\d{4}[^/]*$")
)
