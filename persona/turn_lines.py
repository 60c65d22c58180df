"""Lines of a turn: from outside text, and from what a model completed."""

import re

from persona.transcript import UNWRITABLE, reads_as_header, reads_as_quote, unescape

_STOP = re.compile(r"\n|[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]")
_LINE_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def plain_lines(text: str) -> tuple[str, ...]:
    """Return the lines of any outside text as a turn may hold them: control characters and surrogates gone, ends trimmed,
    empty ones left out. May be empty."""
    pieces = (UNWRITABLE.sub("", piece.replace("\t", " ")).strip() for piece in _LINE_BREAKS.split(text))
    return tuple(filter(None, pieces))


def completion_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a sampled completion: unescaped, and cut where it begins to speak for somebody else. May be
    empty. Ids that make no character (U+FFFD) are nobody's words; a quote that it begins with is none that anybody asked
    for."""
    kept: list[str] = []
    for number, line in enumerate(plain_lines(text.replace("\ufffd", ""))):
        if reads_as_header(line):
            break
        if number == 0 and reads_as_quote(line):
            continue
        kept += filter(None, [unescape(line).strip()])
    return tuple(kept)


def before_next_turn(text: str) -> str | None:
    """Return what a completion says before its turn is over, None while it goes on. A blank line ends it, since no turn of a
    transcript has one in it, and so does a header: what a base writes behind either is its own, often for somebody else."""
    *whole, _ = text.split("\n")
    for place, line in enumerate(map(str.strip, whole)):
        said = "\n".join(whole[:place]).rstrip()
        if reads_as_header(line) or (said and not line):
            return said
    return None


def whole_part(text: str) -> str:
    """Return a completion that ran out of tokens up to its last whole line or sentence; its whole words where it has none."""
    ends = [stop.end() for stop in _STOP.finditer(text.rstrip("\n")) if text[: stop.end()].strip()]
    return text[: ends[-1]] if ends else text.rpartition(" ")[0] or text
