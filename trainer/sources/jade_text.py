"""JadeV8 text: a row a turn, what the bot shall say between `|aigenerationstart|` and `|endofgeneration|`.

Learned from the README of Jade_V8: `|br|` joins the messages a speaker sent in a row, nobody has a name, and nothing parts
one conversation from the next. What alterego itself exported has a row with the scene before each conversation, and the
speaker's name before what others say.
"""

import re
from collections.abc import Iterator, Sequence

from persona.names import normalise
from trainer.sources.lines import text_lines
from trainer.sources.roles import ASSISTANT, USER, scene_of
from trainer.sources.source import Reading, Source, claim_each
from trainer.sources.spoken import Channels, Said, spoken
from trainer.sources.tree import Tree

START, END, BREAK = "|aigenerationstart|", "|endofgeneration|", "|br|"
_NAMED = re.compile(r"([^:]{1,64}): ")
_LONGEST = 400  # rows taken for one conversation where nothing parts them


def _recognises(start: bytes) -> bool:
    return START.encode() in start and END.encode() in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channels = Channels()
        with tree.open(name) as stream:
            for scene, rows in _conversations(line for _, line in text_lines(stream)):
                said = [_said(row, named=scene is not None) for row in rows]
                yield from spoken(*(scene or ("group", None)), said, channels)


def _conversations(lines: Iterator[str]) -> Iterator[tuple[tuple[str, int | None] | None, list[str]]]:
    """The rows of each conversation, with its scene where one is told."""
    scene: tuple[str, int | None] | None = None
    rows: list[str] = []
    for line in lines:
        begins = scene_of(line)
        if (begins or len(rows) >= _LONGEST) and rows:
            yield scene, rows
            rows = []
        if begins:
            scene = begins
        elif line.strip():
            rows.append(line.strip())
    if rows:
        yield scene, rows


def _said(row: str, named: bool) -> Said:
    text = row.replace(START, "").replace(END, "")
    if START in row:
        return Said(_lines(text), role=ASSISTANT)
    found = _NAMED.match(text) if named else None
    if found and normalise(found[1]) == found[1]:
        return Said(_lines(text[found.end() :]), found[1])
    return Said(_lines(text), role=USER)


def _lines(text: str) -> str:
    return "\n".join(part.strip() for part in text.split(BREAK))


SOURCE = Source("JadeV8 text", claim_each(_recognises), _read)
