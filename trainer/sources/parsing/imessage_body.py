"""The lines of a message as imessage-exporter writes them.

Learned from ReagentX/imessage-exporter (exporters/txt, shared/balloon.rs). A balloon's lines carry no mark: it is known by its
first line, by a link into one of Apple's shops, or by what only the exporter says.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from trainer.sources.message import MessageKind
from trainer.sources.parsing.attachment import medium_of

DATE = r"([A-Z][a-z]{2} [ \d]\d, \d{4}) +(\d{1,2}:\d\d:\d\d [AP]M)"
ANNOUNCED = re.compile(rf"{DATE} (\S.*)")
_REPLIED = "This message responded to an earlier message."
_ERASED = "This message was deleted from the conversation!"
_EFFECT = re.compile(
    r"Sent with (?:Confetti|Echo|Fireworks|Balloons|Heart|Lasers|Shooting Star\w*|Sparkles|Spotlight|Slam|Loud|Gentle"
    r"|Invisible Ink)"
)
_EDITED = re.compile(r"Edited .{1,60} later: (.*)")
_UNSENT = re.compile(r"(?:.{1,60} (?:deleted|unsent) (?:a message|this message).*)")
_PATH = re.compile(r"(?:[~/]|\.{0,2}/|attachments/|[A-Z]:\\)[^\n]{0,400}\.\w{2,5}(?: \(.*\))?")
_STICKER = re.compile(r"(?:\w+ )?Sticker from .{1,60}: .*")
_TRANSLATED = "Translated from:"  # the phone's words stand before it, the sender's behind it
_TRANSCRIBED = re.compile(r"Transcription: .*")
_SERVICES = ("SharePlay Message", "Started sharing location!", "Stopped sharing location!", "Shared location!")
_LINK = re.compile(r"https?://\S+")
_SHOP = re.compile(r"https?://(?:music|apps|itunes|podcasts|books|tv|news)\.apple\.com/\S*")
_MAP = re.compile(r"https?://maps\.apple\.com/\S*|https?://maps\.apple/\S*")
_CARD = re.compile(r"(?:[A-Z0-9][^\n]{0,59}|[\w-]+(?:\.[\w-]+){2,}[^\n]{0,60}) message:")
_ONE_LINE_CARD = re.compile(
    r"(?:Fitness|Activity|Workout)[^\n:]{0,20} message: .*|Unable to format (?:app )?message: .*"
)
_MONEY = re.compile(r"(?:[A-Z][\w’']*)(?: [A-Z]?[\w’']+){0,3} transaction: .*")
_CHECK_IN = re.compile(rf"(?:Expected|Was expected|Checked in) at {DATE}")
_ALBUM = re.compile(r"Photo album: .*")
_FIND_MY = re.compile(r"Find My: .*")
_DRAWN = re.compile(r"Handwritten messages are not yet supported!|Digital Touch Message: .*")
_TAPBACK = re.compile(r"(Loved|Liked|Disliked|Laughed|Emphasized|Questioned|\S{1,12}) by (.{1,100})")
_EMOJI = {"Loved": "❤️", "Liked": "👍", "Disliked": "👎", "Laughed": "😂", "Emphasized": "‼️", "Questioned": "❓"}


class MessageBody(NamedTuple):
    """What a message says. replies: it answers an earlier one."""

    text: str
    media: tuple[str, ...]
    kind: MessageKind
    replies: bool = False
    reactions: tuple[tuple[str, str], ...] = ()


def is_unsent(line: str) -> bool:
    """Return whether a line says that somebody took a message back."""
    return bool(_UNSENT.fullmatch(line))


def parse_body(lines: Sequence[str]) -> MessageBody:
    """Sort the lines of a message."""
    words, media, reactions = list[str](), list[str](), list[tuple[str, str]]()
    replies = erased = tapbacks = False
    for line in lines:
        if tapbacks or line in ("Reactions:", "Tapbacks:"):
            tapbacks = bool(line.strip())
            if match := _TAPBACK.fullmatch(line.strip()):
                reactions.append((_EMOJI.get(match[1], match[1]), match[2]))
        elif line == _REPLIED:
            replies = True
        elif line == _ERASED:
            erased = True
        elif line == _TRANSLATED and words:
            words = []
        elif line == "Attachment missing!" or _PATH.fullmatch(line):
            media.append(medium_of(line.partition(" (")[0]) if line.startswith(("/", "~", ".", "a")) else "file")
        elif _STICKER.fullmatch(line):
            media.append("sticker")
        elif match := (ANNOUNCED.fullmatch(line) if not words else _EDITED.fullmatch(line)):
            words = [match[match.re.groups]]
        elif not _EFFECT.fullmatch(line) and not (media and _TRANSCRIBED.fullmatch(line)):
            words.append(line)
    kind, text, balloons = _balloon(words)
    return MessageBody(text, (*media, *balloons), "deleted" if erased else kind, replies, tuple(reactions))


def _balloon(words: Sequence[str]) -> tuple[MessageKind, str, tuple[str, ...]]:
    """Kind, words and media of what may be an app's balloon and not words."""
    text = "\n".join(words).strip()
    first, _, rest = text.partition("\n")
    lines = text.split("\n")
    if text.startswith(_SERVICES) or _MONEY.fullmatch(text) or any(map(_CHECK_IN.fullmatch, lines[1:3])):
        return "service", text, ()
    if _DRAWN.fullmatch(first) or is_unsent(text):
        return "unsupported", text, ()
    if any(map(_MAP.fullmatch, lines)) or _FIND_MY.fullmatch(text):
        return "message", "", ("location",)
    if shop := next((line for line in lines if _SHOP.fullmatch(line)), ""):
        return "message", shop, ()
    if _ONE_LINE_CARD.fullmatch(first) or (rest and _CARD.fullmatch(first)):
        return "message", "", ("app",)
    if _ALBUM.fullmatch(text):
        return "message", "", ("photo",)
    if rest and _LINK.fullmatch(first):
        return "message", first, ()  # its preview's title and summary
    return "message", text, ()
