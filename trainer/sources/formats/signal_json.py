"""Signal, as signal-export writes it into `data.json`: an object a line.

Learned from carderne/signal-export (models.py, main.py): `date`, `sender`, `body`, `quote`, `sticker`, `reactions`,
`attachments`, and later `deleted`, `call`, `missed`. The same messages as in the Markdown, with the same ids.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, MessageKind, Reject
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.json_lines import array_or_lines
from trainer.sources.parsing.signal_chat import ME, NOBODY, SignalChat, chat_name
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

_KEYS = (b'"date"', b'"sender"', b'"body"', b'"quote"', b'"reactions"')


class _Row(msgspec.Struct):
    date: str = ""
    sender: str = ""
    body: str | None = None
    quote: str | None = None
    sticker: Any = None
    reactions: list[Any] | None = None
    attachments: list[dict[str, Any]] | None = None
    deleted: bool = False
    call: bool = False


def _recognises(start: bytes) -> bool:
    line = start.lstrip(b"\xef\xbb\xbf \r\n").split(b"\n", 1)[0]
    return line.startswith(b"{") and all(key in line for key in _KEYS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        others = frozenset(row.sender for row in _rows(tree, name) if isinstance(row, _Row)) - {ME, NOBODY, ""}
        chat = SignalChat(chat_name(name, others), len(others) > 1)
        for row in _rows(tree, name):
            yield _message(row, chat) if isinstance(row, _Row) else row


def _rows(tree: Tree, name: str) -> Iterator[_Row | Reject]:
    for row in array_or_lines(tree, name, _Row):
        yield row[1] if isinstance(row, tuple) else row


def _message(row: _Row, chat: SignalChat) -> Message:
    emoji = row.sticker.get("emoji") if isinstance(row.sticker, dict) else row.sticker
    media = (f"sticker {emoji or ''}".strip(),) if row.sticker else ()
    files = tuple(medium_of(str(file.get("name") or file.get("path") or "")) for file in row.attachments or ())
    body = "\n".join(line.rstrip() for line in (row.body or "").split("\n")).strip()
    kind: MessageKind | None = "unsupported" if row.deleted else "call" if row.call else None
    text = "(This message was deleted)" if row.deleted else body
    return chat.message(
        iso_timestamp(row.date),  # the exporting machine's hour, as in the Markdown
        row.sender or NOBODY,
        text,
        re.sub(r"^> ?", "", (row.quote or "").strip(), flags=re.MULTILINE),
        (*media, *files),
        tuple(_reactions(row.reactions)),
        kind,
    )


def _reactions(reactions: list[Any] | None) -> Iterator[tuple[str, str]]:
    """Emoji and author; older files have pairs, newer ones objects."""
    for reaction in reactions or ():
        if isinstance(reaction, list) and len(reaction) == 2:
            yield str(reaction[1]), str(reaction[0])
        elif isinstance(reaction, dict):
            yield str(reaction.get("emoji", "")), str(reaction.get("name", ""))


SOURCE = Source("Signal JSON", claim_each(_recognises), _read)
