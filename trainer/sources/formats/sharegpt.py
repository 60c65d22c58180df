"""ShareGPT: `{"conversations": [{"from": "human", "value": …}, {"from": "gpt", …}]}`, in an array or one a line.

Learned from the ShareGPT dumps as FastChat, Axolotl and LLaMA-Factory read them; a system prompt stands first, or in a
`system` of its own.
"""

from collections.abc import Sequence

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.parsing.json_lines import begins_as_json
from trainer.sources.parsing.roles import RoleTurn, read_conversations
from trainer.sources.source import Reading, Source, claim_each


class _Said(msgspec.Struct, gc=False):
    speaker: str = msgspec.field(name="from")
    value: str | None = None


class _Talk(msgspec.Struct, gc=False):
    conversations: list[_Said]
    system: str | None = None


def _recognises(start: bytes) -> bool:
    return begins_as_json(start) and all(key in start for key in (b'"conversations"', b'"from"', b'"value"'))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    return read_conversations(tree, members, _Talk, _turns)


def _turns(talk: _Talk) -> list[RoleTurn]:
    turns = [(said.speaker, "", said.value or "") for said in talk.conversations]
    return [("system", "", talk.system), *turns] if talk.system else turns


SOURCE = Source("ShareGPT", claim_each(_recognises), _read)
