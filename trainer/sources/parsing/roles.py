"""What instruction data has in common: speakers are roles, and what alterego itself exported says its scene. Not a source.

`python -m trainer export` writes a conversation's scene as the system message (`# group 2021`), the persona's words as the
assistant's, and what others say in between as SPEAKER: text; such data is read back to the same turns. In all other data a
message is a turn of its role, and a system message or a tool's is nobody's words.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from persona.transcript import SCENES, TranscriptError, parse
from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.json_lines import array_or_lines
from trainer.sources.parsing.spoken import ChannelIds, SpokenMessage, of, spoken

RoleTurn = tuple[str, str, str]  # role, name and text; the name is empty if there is only a role
Record = TypeVar("Record")

ASSISTANT, USER = "assistant", "user"
_ROLES = {
    "human": USER,
    "prompter": USER,
    "gpt": ASSISTANT,
    "chatgpt": ASSISTANT,
    "bot": ASSISTANT,
    "model": ASSISTANT,
    "bard": ASSISTANT,
    "bing": ASSISTANT,
}
_NOBODY = {"system", "developer", "tool", "function", "function_call", "observation", "ipython"}
_SCENE = re.compile(rf"# ({'|'.join(SCENES)})(?: (\d{{1,4}}))?")


def role_named(name: str) -> str:
    """Return the role of `name`: `gpt` is the assistant, `human` the user, others themselves."""
    folded = name.strip().casefold()
    return _ROLES.get(folded, folded)


def read_conversations(
    tree: Tree, members: Sequence[str], record_type: type[Record], turns_of: Callable[[Record], Sequence[RoleTurn]]
) -> Iterator[Message | Reject]:
    """Yield the messages of files that hold a conversation a record, one a line or in an array."""
    for name in members:
        channels = ChannelIds()
        for item in array_or_lines(tree, name, record_type):
            if isinstance(item, Reject):
                yield item
            else:
                yield from talk(turns_of(item[1]), channels)


def talk(turns: Sequence[RoleTurn], channels: ChannelIds) -> Iterator[Message]:
    """Yield the messages of one conversation."""
    ours = scene_of(turns[0][2]) if turns and role_named(turns[0][0]) == "system" else None
    if ours:
        said = [message for role, _, text in turns[1:] for message in _of_ours(role_named(role), text, ours[0])]
        yield from spoken(*ours, said, channels)
    else:
        said = [_said(role_named(role), name, text) for role, name, text in turns]
        yield from spoken("group", None, said, channels, bursts=False)


def scene_of(line: str) -> tuple[str, int | None] | None:
    """Return the scene and year of a conversation that alterego exported."""
    match = _SCENE.fullmatch(line.strip())
    return (match[1], int(match[2]) if match[2] and int(match[2]) else None) if match else None


def said_by_all(text: str) -> list[SpokenMessage]:
    """Parse SPEAKER: text without a scene line. Raises TranscriptError if it is none."""
    return of(parse(f"# group\n\n{text}\n"))


def _said(role: str, name: str, text: str) -> SpokenMessage:
    if role == ASSISTANT or not name:
        return SpokenMessage(text, role=role, kind="service" if role in _NOBODY else "message")
    return SpokenMessage(text, name)


def _of_ours(role: str, text: str, scene: str) -> list[SpokenMessage]:
    if role == ASSISTANT:
        return [SpokenMessage(part, role=role) for part in (text.split("\n\n") if scene == "timeline" else [text])]
    try:
        return said_by_all(text)
    except TranscriptError:
        return [_said(role, "", text)]
