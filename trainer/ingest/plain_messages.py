"""Messages to which no rule of cleaning applies, as most of a group or a feed: seen many at a time, and kept as they are."""

from collections.abc import Sequence

from persona.config import Data
from trainer.corpus.row import TRANSCRIPTS
from trainer.ingest.cleaning import INVISIBLE, LONGEST_RUN, DroppedMessage, Kept, clean
from trainer.people.text_scan import CharacterClasses, TextScan
from trainer.sources.message import Message

Cleaned = Kept | DroppedMessage | None  # None: plain, its text is its only line and there is nothing else to it

_TELLING = '/[]<>"“@'  # of links, commands, markers, quotations and handles
_KINDS_OF_TALK = ("group", "feed")

_VISIBLE, _TELLS, _UNPRINTABLE = 1, 2, 4


def _class_of(char: str) -> int:
    seen = 0 if INVISIBLE.fullmatch(char) else _VISIBLE
    return seen | (_TELLS if char in _TELLING else 0) | (0 if char.isprintable() else _UNPRINTABLE)


_CLASSES = CharacterClasses(_class_of)


def clean_all(messages: Sequence[Message], settings: Data) -> list[Cleaned]:
    """Return each message as the corpus holds it, or the first rule that drops it: what `clean` says, sooner."""
    if settings.blocked_words:
        return [clean(message, settings) for message in messages]
    scan = TextScan([message.text for message in messages], folding=None)
    classes = scan.classes(_CLASSES)
    may_run = scan.repeating(LONGEST_RUN + 1) | (classes & _UNPRINTABLE > 0)  # what is left out may part a run
    plain = (classes == _VISIBLE) & ~may_run
    return [
        None if may_be_plain and _is_plain(message) else clean(message, settings, may_run=runs)
        for message, may_be_plain, runs in zip(messages, plain.tolist(), may_run.tolist(), strict=True)
    ]


def _is_plain(message: Message) -> bool:
    """Return whether a message with such a text has nothing that a rule applies to, or that is to be kept beside it."""
    return (
        message.conversation_type in _KINDS_OF_TALK
        and message.kind == "message"
        and message.sender_id != ""
        and not (
            message.mentions
            or message.attachments
            or message.reactions
            or message.forwarded_from
            or message.quoted_text
            or message.is_bot
            or message.is_group_dm
        )
        and message.platform not in TRANSCRIPTS
        and not (message.text[0] == "!" or "www." in message.text or "WWW." in message.text)
    )
