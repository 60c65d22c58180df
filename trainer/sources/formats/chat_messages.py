"""Instruction data of role and content: `{"messages": [{"role": …, "content": …}]}`, one a line or in an array.

Learned from OpenAI's fine-tuning format and Hugging Face's conversational data sets: content is a string or a list of parts
of which the texts count; a name may stand beside the role.
"""

import re
from collections.abc import Sequence

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.parsing.json_lines import begins_as_json
from trainer.sources.parsing.roles import RoleTurn, read_conversations
from trainer.sources.source import Reading, Source, claim_each

_LOOK = re.compile(rb'\{\s*"(?:role|content|name)"\s*:')


class _Part(msgspec.Struct, gc=False):
    text: str = ""


class _Said(msgspec.Struct, gc=False):
    role: str
    content: str | list[_Part] | None = None
    name: str | None = None


class _Talk(msgspec.Struct, gc=False):
    messages: list[_Said]


def _recognises(start: bytes) -> bool:
    keys = all(key in start for key in (b'"messages"', b'"role"', b'"content"'))
    return keys and begins_as_json(start) and bool(_LOOK.search(start))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    return read_conversations(tree, members, _Talk, _turns)


def _turns(talk: _Talk) -> list[RoleTurn]:
    return [(said.role, said.name or "", _text(said)) for said in talk.messages]


def _text(said: _Said) -> str:
    return said.content if isinstance(said.content, str) else "\n".join(part.text for part in said.content or ())


SOURCE = Source("messages JSONL", claim_each(_recognises), _read)
