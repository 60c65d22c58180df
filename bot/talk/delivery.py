"""From the lines of a reply to the posts of a platform. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from bot.gateway import Limits
from bot.store import OutgoingPart

_MEDIA = re.compile(r"\[(?:link|photo|video|voice|gif|audio|file|sticker[^\]]*|…)\]")  # stands for what can't be sent
_FENCE = re.compile(r"```([\w+#.-]*)")
_SPAN = re.compile(r"(```.*?```|`[^`\n]+`|https?://\S+)", re.DOTALL)  # read as it stands: code, addresses
_MARKS = re.compile(r"([\\*_~|`])|^(\s*)([>#-])(?= |>|#)|^(\s*\d+)(\.)(?= )", re.MULTILINE)
_CALL = re.compile(r"<(?=[@#:/]|a:|id:)")  # Discord's mentions, channels, emoji and commands
_NAME = re.compile(r"@(?=\w)")
_CLOSING = "\n```"
_JOINER = "\u2060"  # invisible, and no letter: the name behind it calls nobody


def posts(lines: Sequence[str], limits: Limits, *, bursts: bool) -> list[OutgoingPart]:
    """Return the posts of a reply. bursts: each line a post of its own, but a fenced block stays together. A post that
    only repeats the one before is left out."""
    said = sayable(lines)
    blocks = list(_blocks(said)) if bursts else [said] if said else []
    blocks = [block for number, block in enumerate(blocks) if number == 0 or block != blocks[number - 1]]
    return [part for block in blocks for part in _parts(block, limits)]


def sayable(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines without placeholders for pictures and links; a line of nothing else is left out."""
    return tuple(text for line in lines if (text := " ".join(_MEDIA.sub("", line).split())))


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each line alone, but those from an opening fence to its end together."""
    block: list[str] = []
    for line in lines:
        block.append(line)
        if "\n".join(block).count("```") % 2 == 0:
            yield tuple(block)
            block = []
    if block:
        yield tuple(block)


def _parts(said: tuple[str, ...], limits: Limits) -> list[OutgoingPart]:
    """Return a block as parts that fit. What it says is remembered with the first."""
    texts = split(escaped("\n".join(said), limits.markup), limits.units)
    return [OutgoingPart(text, said if number == 0 else ()) for number, text in enumerate(texts)]


def escaped(text: str, markup: str) -> str:
    """`text` such that the platform shows it as it is and calls nobody. markup: `markdown` (Discord) or `plain`
    (Telegram without a parse mode, where only names call)."""
    if markup == "none":
        return text
    if markup == "plain":
        return _NAME.sub("@" + _JOINER, text)
    pieces = _SPAN.split(text)
    return "".join(piece if number % 2 else _marked(piece) for number, piece in enumerate(pieces))


def _marked(text: str) -> str:
    """Discord's Markdown behind backslashes, its mentions taken apart."""
    return _CALL.sub("<" + _JOINER, _MARKS.sub(_behind_a_backslash, text))


def _behind_a_backslash(match: re.Match[str]) -> str:
    char, indent, mark, number, dot = match.groups("")
    return f"{indent}{number}\\{char or mark or dot}"


def split(text: str, units: int) -> list[str]:
    """`text` in pieces of at most `units` UTF-16 code units, cut at line breaks, else blanks, else anywhere between
    characters. A cut inside a fenced block closes it and opens it again."""
    pieces: list[str] = []
    opening = ""
    while length(opening + text) > units:
        at = _cut(text, units - length(opening))
        if _opened(opening + text[:at], units):
            at = _cut(text, units - length(opening) - length(_CLOSING))
        head = opening + text[:at].rstrip()
        opening = _opened(head, units)
        pieces.append(head + _CLOSING if opening else head)
        text = text[at:].removeprefix("\n") if opening else text[at:].lstrip()
    return [piece for piece in [*pieces, opening + text if text else ""] if piece]


def _cut(text: str, units: int) -> int:
    """Return where to cut: at most `units` in, not behind a lone backslash."""
    cut = _fitting(text, units)
    at = max(text.rfind("\n", 0, cut + 1), text.rfind(" ", 0, cut + 1))
    cut = at if at > cut // 2 else cut
    return cut - 1 if cut > 1 and text[cut - 1] == "\\" and text[cut - 2] != "\\" else cut


def _opened(text: str, units: int) -> str:
    """Return the fence that is left open at the end of `text`, as it must begin the next piece; "" for none."""
    fences = list(_FENCE.finditer(text))
    if len(fences) % 2 == 0:
        return ""
    return f"```{fences[-1][1]}\n" if len(fences[-1][0]) < units // 4 else "```\n"


def length(text: str) -> int:
    """UTF-16 code units: what Telegram counts, and never fewer than what Discord does."""
    return len(text.encode("utf-16-le")) // 2


def pause(text: str) -> float:
    """Seconds a person takes to type `text`, within a reader's patience."""
    return min(0.6 + len(text) / 18, 5.0)


def _fitting(text: str, units: int) -> int:
    """Return how many characters of `text` fit into `units`, no grapheme being cut before a mark or joiner."""
    sizes = accumulate(2 if ord(char) > 0xFFFF else 1 for char in text)
    cut = next((number for number, size in enumerate(sizes) if size > units), len(text))
    while cut > 1 and cut < len(text) and _clings(text[cut], text[cut - 1]):
        cut -= 1
    return max(1, cut)


def _clings(char: str, before: str) -> bool:
    joins = ("\u200d", "\ufe0f", "\u20e3")
    return char in joins or before == "\u200d" or "\U0001f3fb" <= char <= "\U0001f3ff" or "\u0300" <= char <= "\u036f"
