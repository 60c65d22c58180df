"""From the lines of a reply to the posts of a platform. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from types import MappingProxyType

from bot.gateway import Expressions, Limits
from bot.store import OutgoingPart
from persona.emoji import emoji_of
from persona.markers import MEDIA, reaction_of, sticker_of, words_of

_MARK = re.compile(  # of what is not words, wherever it stands in a line
    rf"\[(?:react(?: [^\[\]]*)?|sticker(?: [^\[\]]*)?|forwarded from [^\[\]]*|link|…|(?:{'|'.join(MEDIA)})(?:: [^\[\]]*)?)\]"
)
_EMOJI_NAME = re.compile(
    r"(?<![\w:<]):((?=\w*[^\W\d_])\w{2,32}):(?![\w:])"
)  # a custom emoji; not the minutes of a time
_EMOJI = re.compile(r"<a?:\w{2,32}:\d{15,21}>")  # as Discord writes it
_FENCE = re.compile(r"```([\w+#.-]*)")
_SPAN = re.compile(r"(```.*?```|`[^`\n]+`|https?://\S+)", re.DOTALL)  # read as it stands: code, addresses
_MARKS = re.compile(r"([\\*_~|`])|^(\s*)([>#-])(?= |>|#)|^(\s*\d+)(\.)(?= )", re.MULTILINE)
_CALL = re.compile(r"<(?=[@#:/]|a:|id:)")  # Discord's mentions, channels, emoji and commands
_NAME = re.compile(r"@(?=\w)")
_ONLY_WORDS = Expressions()
_CLOSING = "\n```"
_JOINER = "\u2060"  # invisible, and no letter: the name behind it calls nobody


def posts(
    lines: Sequence[str], limits: Limits, *, bursts: bool, expressions: Expressions = _ONLY_WORDS
) -> list[OutgoingPart]:
    """Return the posts of a reply. bursts: each line a post of its own, but a fenced block stays together. A post that
    only repeats the one before is left out. expressions: what is there besides words; the rest of it is never posted.
    A reply that is a reaction and nothing else is one; none if it isn't allowed."""
    if lines and all(map(reaction_of, lines)):
        sent = _reaction(reaction_of(lines[0]), expressions)
        return [OutgoingPart(sent, (lines[0],), post_type="reaction")] if sent else []
    lines = [line for line in lines if not sticker_of(line) or expressions.stickers.get(sticker_of(line))]
    parts: list[OutgoingPart] = []
    for is_sticker, group in groupby(lines, key=lambda line: bool(sticker_of(line))):
        same = tuple(group)
        new = _stickers(same, expressions) if is_sticker else _texts(same, limits, bursts, expressions.emoji)
        parts += [part for part in new if not (parts and part == parts[-1])]
    return parts


def _reaction(emoji: str, expressions: Expressions) -> str:
    """Return an emoji as the platform wants it for a reaction; "" if it isn't allowed."""
    known = expressions.reactions.get(emoji) or expressions.reactions.get(emoji.replace("\ufe0f", ""))
    is_one = emoji_of(emoji) == [emoji.replace("\ufe0f", "")]
    return known or (emoji if expressions.any_reaction and is_one else "")


def _stickers(lines: Iterable[str], expressions: Expressions) -> list[OutgoingPart]:
    sent = [(line, expressions.stickers[sticker_of(line)]) for line in dict.fromkeys(lines)]
    return [OutgoingPart(number, (line,), post_type="sticker") for line, number in sent]


def _texts(lines: Sequence[str], limits: Limits, bursts: bool, emoji: Mapping[str, str]) -> list[OutgoingPart]:
    said = sayable(lines, emoji)
    blocks = list(_blocks(said)) if bursts else [said] if said else []
    blocks = [block for number, block in enumerate(blocks) if number == 0 or block != blocks[number - 1]]
    return [part for block in blocks for part in _parts(block, limits, emoji)]


def sayable(lines: Iterable[str], emoji: Collection[str] = ()) -> tuple[str, ...]:
    """Return the lines without what is not words, and without custom emoji but these; a line of nothing else is left
    out."""
    said: list[str] = []
    for line in lines:
        is_code = "\n".join(said).count("```") % 2 == 1
        text = _without_marks(words_of(line))
        text = text if is_code else _without_emoji(text, emoji)
        said += filter(None, [" ".join(text.split())])
    return tuple(said)


def _without_marks(text: str) -> str:
    """Take out what stands for pictures, links and the like, also where taking one out makes another."""
    while (bare := _MARK.sub("", text)) != text:
        text = bare
    return text


def _without_emoji(text: str, known: Collection[str]) -> str:
    """Take out custom emoji that nobody here has; not of code and addresses."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[1] in known else ""

    pieces = _SPAN.split(text)
    return "".join(piece if number % 2 else _EMOJI_NAME.sub(kept, piece) for number, piece in enumerate(pieces))


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


def _parts(said: tuple[str, ...], limits: Limits, emoji: Mapping[str, str]) -> list[OutgoingPart]:
    """Return a block as parts that fit. What it says is remembered with the first."""
    texts = split(escaped("\n".join(said), limits.markup, emoji), limits.units)
    return [OutgoingPart(text, said if number == 0 else ()) for number, text in enumerate(texts)]


def escaped(text: str, markup: str, emoji: Mapping[str, str] = MappingProxyType({})) -> str:
    """`text` such that the platform shows it as it is and calls nobody. markup: `markdown` (Discord) or `plain`
    (Telegram without a parse mode, where only names call). emoji: custom ones by name, as Discord writes them."""
    if markup == "none":
        return text
    if markup == "plain":
        return _NAME.sub("@" + _JOINER, text)
    pieces = _SPAN.split(text)
    return "".join(piece if number % 2 else _with_emoji(piece, emoji) for number, piece in enumerate(pieces))


def _with_emoji(text: str, emoji: Mapping[str, str]) -> str:
    """Custom emoji as Discord writes them, everything else as Markdown shows it."""
    pieces: list[str] = []
    end = 0
    for match in _EMOJI_NAME.finditer(text):
        if match[1] in emoji:
            pieces += [_marked(text[end : match.start()]), emoji[match[1]]]
            end = match.end()
    return "".join([*pieces, _marked(text[end:])])


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
    if token := next((match for match in _EMOJI.finditer(text) if match.start() < cut < match.end()), None):
        return token.start() or token.end()
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
