"""Telegram Desktop's HTML: `messages.html`, `messages2.html`, … of one chat, or of every chat of an account.

Learned from tdesktop's export_output_html.cpp. A message is a `div.message.default` with the id of the message; a
`joined` one has the sender of the one before. Times are in `title`, since 2021 with their zone, before that without (taken
as UTC). There are no ids of people or chats: a chat is known by its name, and whether it is a dm by who speaks. Lines that
only show a new day are left out. Who reacted stands in the `title` of a picture beside the emoji, in files of 2023 and later.
A forum's topic begins with the notice that opens it; what answers that, or a message in it, stands in the topic.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec import structs

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import ConversationType, Message, MessageKind, Reject
from trainer.sources.parsing.html_tokens import Tag, html_tokens
from trainer.sources.parsing.participants import conversation_type
from trainer.sources.source import Reading, Source, companions

MAX_TEXT_CHARS = 1 << 20  # characters; more is no message
_DEEPEST = 256
_FILE = re.compile(r"(.*?)messages(\d*)\.html", re.IGNORECASE)
_FIELDS = {
    "from_name": "name",
    "reply_to": "reply",
    "text": "text",
    "title": "title",
    "status": "status",
    "initials": "",
    "reactions": "reactions",
    "question": "question",
    "answer": "answer",
    "details": "",
    "date": "",
    "signature": "",
}
_MEDIA = {
    "photo_wrap": "photo",
    "media_photo": "photo",
    "sticker_wrap": "sticker",
    "animated_wrap": "gif",
    "video_file_wrap": "video",
    "media_video": "video",
    "media_voice_message": "voice",
    "media_audio_file": "audio",
    "media_file": "file",
    "media_call": "call",
    "media_poll": "poll",
    "media_contact": "contact",
    "media_location": "location",
    "media_live_location": "location",
    "media_venue": "location",
    "media_game": "game",
    "media_invoice": "invoice",
}
_ID = re.compile(r"message(\d+)")
_LINK = re.compile(r"#go_to_message(\d+)")
_TOPIC = re.compile(r".*? created topic «(.*)»", re.DOTALL)
_MAX_EMOJI_CHARS = 16  # longer is the address of a picture that stands for one
_VIA = re.compile(r" via @\w+$")
_GROUP = re.compile(r" (?:created group|invited|joined group|removed|changed group|converted)|^Channel ")
_UNSUPPORTED = "This message is not supported"


@dataclass(slots=True)
class _Row:
    """A message while it is read."""

    id: str
    offset: int
    joined: bool = False
    service: bool = False
    date: str = ""
    reply: str = ""
    forwarded: bool = False
    media: list[str] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)
    size: int = 0

    def add(self, part: str, text: str) -> None:
        """More text of a part."""
        self.size += len(text)
        if self.size <= MAX_TEXT_CHARS:
            self.parts.setdefault(part, []).append(text)

    def get(self, part: str) -> str:
        """Return the text of a part, without the blanks that lay it out."""
        return "".join(self.parts.get(part, ())).strip()

    def react(self, name: str) -> None:
        """Note who reacted with the emoji read last."""
        emoji = self.get("emoji")
        if emoji and name and len(emoji) <= _MAX_EMOJI_CHARS:
            self.reactions.append((emoji, name))

    @property
    def poll(self) -> str:
        """Its question and options, a line each."""
        answers = (line.strip().removeprefix("- ") for line in self.get("answer").split("\n"))
        return "\n".join(filter(None, (self.get("question"), *answers)))


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the pages of each folder, in order."""
    folders: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        if name.lower().endswith((".html", ".htm")) and _recognises(head(tree, name)):
            match = _FILE.fullmatch(name)
            place, number = (match[1], int(match[2] or 1)) if match else (name, 1)
            folders.setdefault(place, []).append((number, name))
    return [tuple(name for _, name in sorted(pages)) for pages in folders.values()]


def _recognises(start: bytes) -> bool:
    return b'class="page_header"' in start and b'class="message ' in start and b'id="message' in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    name, people, group = _survey(tree, members)
    chat_type = "group" if group else conversation_type(name, people)
    sender = ""
    topics = _Topics()
    for member in members:
        for row in _rows(tree, member):
            if isinstance(row, Reject):
                yield row
                continue
            if not row.id:  # a line that shows a new day
                continue
            sender = sender if row.joined else row.get("name")
            if row.size > MAX_TEXT_CHARS:
                yield Reject(file=member, offset=row.offset, reason="too long for a message", raw=row.get("text"))
            else:
                yield topics.placed(_message(row, name, chat_type, sender))


class _Topics:
    """The topics of a forum. What a message answers stands before it."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._topic_of: dict[str, str] = {}

    def placed(self, message: Message) -> Message:
        """Return a message in the channel that its topic is."""
        if message.kind == "service":
            if opened := _TOPIC.fullmatch(message.text):
                self._titles[message.message_id] = opened[1].strip()
            return message
        answered = message.reply_to_id
        topic = answered if answered in self._titles else self._topic_of.get(answered, "")
        if not topic:
            return message
        self._topic_of[message.message_id] = topic
        return structs.replace(
            message,
            conversation_id=f"{message.conversation_id}/{topic}",
            conversation_name=f"{message.conversation_name} / {self._titles[topic]}",
            reply_to_id="" if answered == topic else answered,
        )


def _survey(tree: Tree, members: Sequence[str]) -> tuple[str, set[str], bool]:
    """Return the chat's name, up to three speakers, and whether it is surely a group."""
    name, people, group = "", set[str](), False
    for member in members:
        for row in _rows(tree, member):
            if isinstance(row, Reject):
                continue
            name = name or row.get("chat")
            group = group or (row.service and bool(_GROUP.search(row.get("service"))))
            if sender := _VIA.sub("", row.get("name")):
                people.add(sender)
            if name and (group or len(people) > 2):
                return name, people, group
    return name, people, group


def _rows(tree: Tree, member: str) -> Iterator[_Row | Reject]:
    """Yield the messages of a page. The first row has the chat's name in its part `chat`."""
    with tree.open(member) as stream:
        page = _Page()
        for tag in html_tokens(stream):
            yield from page.take(tag)
        if page.row and not page.complete:
            yield Reject(
                file=member, offset=page.row.offset, reason="the file is cut off here", raw=page.row.get("text")
            )
        elif page.row:
            yield page.row


class _Page:
    """Where the reading of a page stands."""

    def __init__(self) -> None:
        self.row: _Row | None = None
        self.complete = False
        self._chat = _Row("", 0)
        self._stack: list[tuple[str, str]] = []  # open tags, and the part that text inside them belongs to

    def take(self, tag: Tag) -> Iterator[_Row]:
        """Take the next tag; gives the message that is complete with it."""
        part = self._stack[-1][1] if self._stack else ""
        if part and tag.text:
            (self.row or self._chat).add(part, tag.text if part == "text" else " ".join(tag.text.split("\n")))
        if tag.closing:
            self._close(tag)
            return
        if not tag.empty and tag.name:
            attributes = tag.attributes
            classes = attributes.get("class", "").split()
            if "message" in classes and tag.name == "div":
                if self.row:
                    yield self.row
                self._begin(tag, attributes.get("id", ""), classes)
            self._open(tag, attributes, classes, part)
        elif tag.name == "br" and part and self.row:
            self.row.add(part, "\n")

    def _begin(self, tag: Tag, name: str, classes: list[str]) -> None:
        match = _ID.fullmatch(name)
        self.row = _Row(match[1] if match else "", tag.offset, "joined" in classes, "service" in classes)
        self._stack = []
        if self._chat.parts:
            self.row.add("chat", self._chat.get("chat"))
            self._chat = _Row("", 0)

    def _open(self, tag: Tag, attributes: dict[str, str], classes: list[str], part: str) -> None:
        row = self.row
        inside = part
        if row is None:
            inside = "chat" if {"text", "bold"} <= set(classes) else part
        elif row.service:
            inside = "service" if "body" in classes else part
        else:
            if part in ("reactions", "emoji"):
                self._stack.append((tag.name, self._reaction(row, attributes, classes)))
                return
            inside = next((_FIELDS[name] for name in classes if name in _FIELDS), part)
            if "answer" in classes:
                row.add("answer", "\n")
            if inside == "name" and row.forwarded:
                inside = "forwarded"
            row.forwarded |= "forwarded" in classes and "body" in classes
            row.media += [_MEDIA[name] for name in classes if name in _MEDIA]
            row.date = row.date or (attributes.get("title", "") if "date" in classes else "")
            if part == "reply" and (link := _LINK.search(attributes.get("href", ""))):
                row.reply = link[1]
        if len(self._stack) < _DEEPEST:
            self._stack.append((tag.name, inside))

    def _reaction(self, row: _Row, attributes: dict[str, str], classes: list[str]) -> str:
        """Take what opens inside a message's reactions; returns the part that its text belongs to."""
        if "reaction" in classes:
            row.parts.pop("emoji", None)
        elif "userpic" in classes or "initials" in classes:
            row.react(attributes.get("title", "").strip())
        return "emoji" if "emoji" in classes else "reactions"

    def _close(self, tag: Tag) -> None:
        self.complete |= tag.name in ("body", "html")
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth][0] == tag.name:
                del self._stack[depth:]
                return


def _message(row: _Row, chat: str, chat_type: ConversationType, sender: str) -> Message:
    media = row.media[0] if row.media else ""
    title = row.get("title")
    emoji = row.get("status").partition(",")[0].strip() if title == "Sticker" else ""
    if title == "Sticker":
        media = f"sticker {emoji}".strip()
    elif title == "Animation":
        media = "gif"
    return Message(
        platform="telegram",
        conversation_id=chat,
        conversation_type=chat_type,
        conversation_name=chat,
        message_id=row.id,
        sender_id="",
        sender_name=_VIA.sub("", sender),
        is_bot=bool(_VIA.search(sender)),
        timestamp=_timestamp(row.date),
        kind=_kind(row, media),
        text=row.get("service") if row.service else row.poll if media == "poll" else row.get("text"),
        reply_to_id=row.reply,
        forwarded_from=(_VIA.sub("", row.get("forwarded")) or "somebody") if row.forwarded else "",
        attachments=(media,) if media and media != "call" else (),
        reactions=tuple(row.reactions),
    )


def _kind(row: _Row, media: str) -> MessageKind:
    if row.service:
        return "unsupported" if row.get("service").startswith(_UNSUPPORTED) else "service"
    return "call" if media == "call" else "message"


def _timestamp(title: str) -> float | None:
    """UTC seconds of `04.03.2021 05:06:07 UTC+01:00`."""
    day, _, zone = title.partition(" UTC")
    for text, form in ((f"{day} {zone.replace(':', '')}", "%d.%m.%Y %H:%M:%S %z"), (day, "%d.%m.%Y %H:%M:%S")):
        try:
            at = datetime.strptime(text, form)
        except ValueError:
            continue
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return None


SOURCE = Source(
    "Telegram HTML",
    _claim,
    _read,
    is_companion=companions(
        r"(?:^|/)(?:css|js|images|photos|video_files|round_video_messages|voice_messages|stickers|files"
        r"|contacts|lists|profile_pictures|stories)/|export_results\.html$"
    ),
)
