"""From the lines of a reply to the posts of a platform. Pure."""

import re
from collections.abc import Sequence
from itertools import accumulate

_MEDIA = re.compile(r"\[(?:link|photo|video|voice|gif|audio|file|sticker[^\]]*|…)\]")  # stands for what can't be sent


def posts(lines: Sequence[str], *, bursts: bool, units: int) -> list[str]:
    """The texts to post for a reply. bursts: each line a post of its own. units: UTF-16 code units a post may have."""
    said = [text for line in lines if (text := " ".join(_MEDIA.sub("", line).split()))]
    whole = said if bursts else ["\n".join(said)] if said else []
    return [part for text in whole for part in split(text, units)]


def split(text: str, units: int) -> list[str]:
    """`text` in pieces of at most `units` UTF-16 code units, cut at line breaks, else blanks, else anywhere between
    characters."""
    pieces: list[str] = []
    while length(text) > units:
        cut = _fitting(text, units)
        at = max(text.rfind("\n", 0, cut + 1), text.rfind(" ", 0, cut + 1))
        cut = at if at > cut // 2 else cut
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [piece for piece in [*pieces, text] if piece]


def length(text: str) -> int:
    """UTF-16 code units: what Telegram counts, and never fewer than what Discord does."""
    return len(text.encode("utf-16-le")) // 2


def pause(text: str) -> float:
    """Seconds a person takes to type `text`, within a reader's patience."""
    return min(0.6 + len(text) / 18, 5.0)


def _fitting(text: str, units: int) -> int:
    """How many characters of `text` fit into `units`, no grapheme being cut before a mark or joiner."""
    sizes = accumulate(2 if ord(char) > 0xFFFF else 1 for char in text)
    cut = next((number for number, size in enumerate(sizes) if size > units), len(text))
    while cut > 1 and _clings(text[cut], text[cut - 1]):
        cut -= 1
    return max(1, cut)


def _clings(char: str, before: str) -> bool:
    joins = ("\u200d", "\ufe0f", "\u20e3")
    return char in joins or before == "\u200d" or "\U0001f3fb" <= char <= "\U0001f3ff" or "\u0300" <= char <= "\u036f"
