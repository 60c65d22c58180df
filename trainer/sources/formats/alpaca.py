"""Alpaca: `{"instruction": …, "input": …, "output": …}`, in an array or one a line.

Learned from Stanford's alpaca_data.json and LLaMA-Factory, which adds `system` and `history` (pairs of earlier turns). What
alterego itself exports is a record for each of the persona's turns, with what was said before it; `conversation` tells which
of them belong together, `before` how much of it the input leaves out, `after` what was said when the persona had spoken last.
"""

from collections.abc import Sequence

import msgspec

from persona.transcript import TranscriptError
from trainer.sources.files.tree import Tree
from trainer.sources.message import Reject
from trainer.sources.parsing.json_lines import array_or_lines, begins_as_json
from trainer.sources.parsing.roles import ASSISTANT, USER, said_by_all, scene_of, talk
from trainer.sources.parsing.spoken import ChannelIds, SpokenMessage, spoken
from trainer.sources.source import Reading, Source, claim_each


class _Record(msgspec.Struct, gc=False):
    instruction: str
    output: str | None = None
    input: str | None = None
    system: str | None = None
    history: list[tuple[str, str]] | None = None
    conversation: str | None = None
    before: int = 0
    after: str = ""


def _recognises(start: bytes) -> bool:
    return begins_as_json(start) and b'"instruction"' in start and b'"output"' in start


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        channels = ChannelIds()
        ours: list[_Record] = []  # of one conversation
        for item in array_or_lines(tree, name, _Record):
            record = None if isinstance(item, Reject) else item[1]
            if ours and (record is None or record.conversation != ours[0].conversation):
                yield from _joined(ours, channels, name)
                ours = []
            if isinstance(item, Reject):
                yield item
            elif record and record.conversation and scene_of(record.instruction):
                ours.append(record)
            elif record:
                yield from talk(_turns(record), channels)
        if ours:
            yield from _joined(ours, channels, name)


def _turns(record: _Record) -> list[tuple[str, str, str]]:
    turns = [("system", "", record.system)] if record.system else []
    for asked, answered in record.history or ():
        turns += [(USER, "", asked), (ASSISTANT, "", answered)]
    asked = "\n".join(filter(None, (record.instruction, record.input)))
    return [*turns, (USER, "", asked), (ASSISTANT, "", record.output or "")]


def _joined(records: Sequence[_Record], channels: ChannelIds, name: str) -> Reading:
    """Yield the one conversation that records of our own making tell bit by bit."""
    said: list[SpokenMessage] = []
    try:
        for record in records:
            history = said_by_all(record.input) if record.input else []
            said += history[max(0, len(said) - record.before) :]
            said += [SpokenMessage(record.output or "", role=ASSISTANT)] if record.output else []
        said += said_by_all(records[-1].after) if records[-1].after else []
    except TranscriptError as error:
        raw = msgspec.json.encode(records).decode()
        yield Reject(file=name, offset=0, reason=f"no readable conversation ({error})", raw=raw)
        return
    scene, year = scene_of(records[0].instruction) or ("group", None)
    yield from spoken(scene, year, said, channels)


SOURCE = Source("alpaca", claim_each(_recognises), _read)
