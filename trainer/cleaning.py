"""What of a message is kept, and as which lines. Pure; every drop has a name, which the import's table counts."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from persona.config import Corpus
from persona.transcript import plain_lines
from trainer.sources.message import Message

LONGEST_RUN = 8  # a character repeated more often says no more: "aaaaaaaaaaaa" folds to eight
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'「」]+", re.IGNORECASE)
_RUN = re.compile(rf"(.)\1{{{LONGEST_RUN},}}")
_COMMAND = re.compile(r"[/!][A-Za-z][\w@-]*(\s|$)")
_MEDIA = re.compile(r"\[(?:link|photo|video|voice|gif|audio|file|sticker[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Kept:
    """The lines of a message as the corpus holds them."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why a message is not in the corpus."""

    reason: str


Rule = Callable[[Message, Corpus], bool]

RULES: dict[str, Rule] = {
    "service": lambda message, _: message.kind in ("service", "call"),
    "unsupported": lambda message, _: message.kind == "unsupported",
    "deleted": lambda message, _: message.kind == "deleted",
    "bot": lambda message, _: message.is_bot,
    "private": lambda message, settings: message.conversation_type == "dm" and not settings.dms,
    "retweet": lambda message, _: bool(message.forwarded_from) and message.platform == "x",
    "forwarded": lambda message, _: bool(message.forwarded_from),
    "nobody": lambda message, _: not (message.sender_id or message.sender_name),
    "command": lambda message, _: bool(_COMMAND.match(message.text)),
    "blocked word": lambda message, settings: _has_blocked_word(message.text, settings.blocked_words),
}


def clean(message: Message, settings: Corpus) -> Kept | Dropped:
    """The message's lines, or the first rule that drops it."""
    for name, applies in RULES.items():
        if applies(message, settings):
            return Dropped(name)
    lines = tuple(map(_folded, plain_lines(_URL.sub("[link]", message.text)))) + tuple(
        f"[{kind}]" for kind in message.attachments
    )
    written = [line for line in plain_lines("\n".join(lines)) if line]
    if not written:
        return Dropped("empty")
    if all(line == "[link]" for line in written):
        return Dropped("bare link")
    return Kept(tuple(written))


def is_media(line: str) -> bool:
    """Whether a line holds nothing that can be said in words."""
    return not _MEDIA.sub("", line).strip()


def _folded(line: str) -> str:
    return _RUN.sub(lambda run: run[1] * LONGEST_RUN, line)


def _has_blocked_word(text: str, words: tuple[str, ...]) -> bool:
    lowered = text.casefold()
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", lowered) for word in words)
