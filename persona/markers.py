"""What is not words: one spelling each, the same from an export, heard live, and said by the model. Pure.

[react 😂]  [sticker 😀]  [photo]  [photo: caption]  [voice: words]  [poll: question | one | two]
[forwarded from ALICE] words
"""

import re
from collections.abc import Iterable, Sequence

from persona.transcript import UNKNOWN, Turn

MEDIA = (
    *("photo", "video", "gif", "voice", "audio", "music", "file", "embed"),
    *("location", "contact", "event", "poll", "checklist", "dice", "game", "gift", "invoice", "giveaway", "paid media"),
)

_REACTION = re.compile(r"\[react (\S+)\]")
_STICKER = re.compile(r"\[sticker(?: ([^\[\]]+))?\]")
_FORWARD = "[forwarded from "
_MEDIUM = re.compile(rf"\[({'|'.join(MEDIA)})(?:: (.+))?\]")
_LINK = re.compile(r"\[link\]")


def reaction(emoji: str) -> str:
    """Return the line of a reaction. emoji: one, or `:name:`."""
    return f"[react {''.join(emoji.split())}]"


def sticker(name: str) -> str:
    """Return the line of a sticker. name: its emoji, else what it is called."""
    bare = " ".join(re.sub(r"[\[\]]", "", name).split())
    return f"[sticker {bare}]" if bare else "[sticker]"


def medium(kind: str, caption: str = "") -> str:
    """Return the line of a picture, a recording, a place: one of MEDIA, with what is written under it."""
    words = " ".join(caption.split())
    return f"[{kind}: {words}]" if words else f"[{kind}]"


def poll(question: str, options: Iterable[str]) -> str:
    """Return the line of a poll."""
    return medium("poll", " | ".join((question, *options)))


def forwarded(author: str, lines: Sequence[str]) -> tuple[str, ...]:
    """Lines passed on, under the name of whoever said them. author: a speaker key, "" if unknown."""
    first, *others = lines or ("",)
    return (f"{_FORWARD}{author or UNKNOWN}] {first}".rstrip(), *others)


def attached(kinds: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of a message with attachments: the caption stands with a picture, a poll's options with its question,
    other words before them. kinds: of MEDIA or `sticker 😀`."""
    if kinds == ("poll",) and lines:
        return (poll(lines[0], lines[1:]),)
    marks = tuple(
        sticker(kind.removeprefix("sticker")) if kind.startswith("sticker") else medium(kind) for kind in kinds
    )
    if len(marks) == 1 and len(lines) == 1 and _MEDIUM.fullmatch(marks[0]):
        return (medium(kinds[0], lines[0]),)
    return (*lines, *marks)


def reaction_of(line: str) -> str:
    """Return the emoji of a reaction; "" for any other line."""
    match = _REACTION.fullmatch(line)
    return match[1] if match else ""


def sticker_of(line: str) -> str:
    """Return the emoji or name of a sticker; "" for any other line."""
    match = _STICKER.fullmatch(line)
    return (match[1] or "") if match else ""


def is_reaction(lines: Sequence[str]) -> bool:
    """Return whether lines are a reaction and nothing else."""
    return len(lines) == 1 and lines[0].startswith("[react ") and bool(reaction_of(lines[0]))


def says_words(turn: Turn) -> bool:
    """Return whether a turn holds words: it isn't masked, and no reaction."""
    return turn.lines != (UNKNOWN,) and not is_reaction(turn.lines)


def words_of(line: str) -> str:
    """Return what is said in a line without what is not words; captions count, forwarded words are somebody else's."""
    if line.startswith(_FORWARD) or _REACTION.fullmatch(line) or _STICKER.fullmatch(line):
        return ""
    if match := _MEDIUM.fullmatch(line):
        return match[2] or ""
    return " ".join(_LINK.sub("", line).split())


def typed(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines that somebody typed, such that none is taken for a reaction, a sticker or somebody else's words."""
    return tuple(_harmless(line) for line in lines)


def _harmless(line: str) -> str:
    if not line.startswith("["):
        return line
    if _REACTION.fullmatch(line) or _STICKER.fullmatch(line):
        return f"({line[1:-1]})"
    return f"({line[1:]}" if line.startswith(_FORWARD) else line
