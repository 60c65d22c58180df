"""WhatsApp's database as KnugiHK/WhatsApp-Chat-Exporter writes it with `--txt`: a text a chat.

Learned from its android_handler.py (create_txt). `[2023-11-14 22:13] Name: text`, further lines indented by the length of
what stands before the text; a file is `<media file in PATH>`, with its caption below. You are `You` there, `Me` here. There
are no ids, no seconds and no zone (taken as UTC), and nothing that the exporter says.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.participants import conversation_key, conversation_type
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_YOU = "You"
_HEADER = re.compile(r"(\[(\d{4}-\d\d-\d\d) (\d\d:\d\d)\] ([^\n]{1,100}?): )(.*)")
_FILE = re.compile(r"<(?:media file in ([^<>\n]{1,400})|The media is missing)>")
_MAX_PEOPLE = 500


class _Line(NamedTuple):
    at: float | None
    sender: str
    text: str
    indent: str


class _Chat(NamedTuple):
    id: str
    name: str
    type: ConversationType


def _opens(line: str) -> _Line | None:
    match = _HEADER.fullmatch(line)
    if not match:
        return None
    return _Line(iso_timestamp(f"{match[2]}T{match[3]}"), match[4], match[5], " " * len(match[1]))


def _recognises(start: bytes) -> bool:
    """Return whether it is WhatsApp's: signal-export's owner is Me."""
    lines = head_lines(start)
    headers = [header for line in lines if (header := _opens(line))]
    if not headers or _opens(lines[0].removeprefix("\ufeff")) is None:
        return False
    names = {header.sender for header in headers}
    return ME not in names and (_YOU in names or any(_FILE.fullmatch(header.text) for header in headers))


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        chat = _chat(tree, name)
        ids = DerivedIds(chat.id)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _opens):
                yield _message(block, chat, ids) if isinstance(block, Block) else block


def _chat(tree: Tree, name: str) -> _Chat:
    """Return what a file is called after, and who speaks in it."""
    title = name.rpartition("/")[2].rpartition(".")[0]
    people: set[str] = set()
    with tree.open(name) as stream:
        for _, text in text_lines(stream):
            if (line := _opens(text)) and len(people) < _MAX_PEOPLE:
                people.add(line.sender)
    return _Chat(conversation_key(title, people), title, conversation_type(title, people))


def _message(block: Block[_Line], chat: _Chat, ids: DerivedIds) -> Message:
    line = block.header
    text = "\n".join((line.text, *(more.removeprefix(line.indent) for more in block.lines)))
    file = _FILE.match(text)
    words = (text[file.end() :] if file else text).strip()
    is_self = line.sender == _YOU
    media = (_medium_of(file[1] or ""),) if file else ()
    return Message(
        platform="whatsapp",
        conversation_id=chat.id,
        conversation_type=chat.type,
        conversation_name=chat.name,
        message_id=ids.next(line.at, line.sender, text),
        sender_id="",
        sender_name=ME if is_self else line.sender,
        is_self=is_self,
        timestamp=line.at,
        kind="message" if words or media else "unsupported",
        text=words,
        attachments=media,
    )


def _medium_of(path: str) -> str:
    return "sticker" if "Sticker" in path else medium_of(path)


SOURCE = Source("WhatsApp Chat Exporter text", claim_each(_recognises), _read, experimental=True)
