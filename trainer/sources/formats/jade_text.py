"""JadeV8 text: a row a turn, what the bot shall say between `|aigenerationstart|` and `|endofgeneration|`.

Learned from the README of Jade_V8: `|br|` joins the messages a speaker sent in a row, nobody has a name, and nothing parts
one conversation from the next. What alterego itself exported has a row with the scene before each conversation, and the
speaker's name before what others say.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persona.names import normalise
from trainer.sources.files.tree import Tree
from trainer.sources.message import Reject
from trainer.sources.parsing.lines import text_lines
from trainer.sources.parsing.roles import ASSISTANT, USER, scene_of
from trainer.sources.parsing.spoken import ChannelIds, SpokenMessage, spoken
from trainer.sources.source import Reading, Source, claim_each

START, END, BREAK = "|aigenerationstart|", "|endofgeneration|", "|br|"
_NAMED = re.compile(r"([^:]{1,64}): ")
MAX_ROWS_PER_CONVERSATION = 400  # taken for one conversation where nothing parts them
MAX_ROW_CHARS = 1 << 16  # characters


def _recognises(start: bytes) -> bool:
    return START.encode() in start and END.encode() in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channels = ChannelIds()
        with tree.open(name) as stream:
            for item in _conversations(text_lines(stream), name):
                if isinstance(item, Reject):
                    yield item
                else:
                    said = [_said(row, named=item.scene is not None) for row in item.rows]
                    yield from spoken(*(item.scene or ("group", None)), said, channels)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one conversation. scene: with its year, where one is told."""

    scene: tuple[str, int | None] | None
    rows: list[str]


def _conversations(lines: Iterator[tuple[int, str]], name: str) -> Iterator[_Rows | Reject]:
    scene: tuple[str, int | None] | None = None
    rows: list[str] = []
    for offset, line in lines:
        begins = scene_of(line)
        if (begins or len(rows) >= MAX_ROWS_PER_CONVERSATION) and rows:
            yield _Rows(scene, rows)
            rows = []
        if begins:
            scene = begins
        elif len(line) > MAX_ROW_CHARS:
            yield Reject(file=name, offset=offset, reason="too long for a turn", raw=line)
        elif line.strip():
            rows.append(line.strip())
    if rows:
        yield _Rows(scene, rows)


def _said(row: str, named: bool) -> SpokenMessage:
    text = row.replace(START, "").replace(END, "")
    if START in row:
        return SpokenMessage(_lines(text), role=ASSISTANT)
    match = _NAMED.match(text) if named else None
    if match and normalise(match[1]) == match[1]:
        return SpokenMessage(_lines(text[match.end() :]), match[1])
    return SpokenMessage(_lines(text), role=USER)


def _lines(text: str) -> str:
    return "\n".join(part.strip() for part in text.split(BREAK))


SOURCE = Source("JadeV8 text", claim_each(_recognises), _read)
