"""replies.jsonl: posts that the persona answered and that no archive holds, fetched by the user. A format of our own.

A line is `{"id": "123", "author": "handle", "text": "…"}`; `platform` ("x" where it is not given), `name`, `author_id`,
`created_at` (ISO 8601) and `reply_to` may be there too. Lines whose text is empty wait to be filled in: import writes
such a file itself, wanted.jsonl in the corpus.
"""

from collections.abc import Sequence

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.repair import mend_json
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

MAX_LINE_BYTES = 1 << 20  # bytes


class _Line(msgspec.Struct):
    id: str | int
    author: str
    text: str
    platform: str = "x"
    name: str = ""
    author_id: str = ""
    created_at: str = ""
    reply_to: str = ""


_DECODER = msgspec.json.Decoder(_Line, strict=False)


def _recognises(start: bytes) -> bool:
    """Return whether the first line is a JSON object with an id, an author and a text."""
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    try:
        decoded = msgspec.json.decode(line)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return False
    return isinstance(decoded, dict) and {"id", "author", "text"} <= decoded.keys()


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        offset = 0
        with tree.open(name) as stream:
            while raw := stream.readline(MAX_LINE_BYTES):
                if raw.strip():
                    yield from _parsed(raw.removeprefix(b"\xef\xbb\xbf"), name, offset)
                offset += len(raw)


def _parsed(raw: bytes, name: str, offset: int) -> Reading:
    try:
        line = _decoded(raw)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        text = raw.decode("utf-8", "replace").strip()
        yield Reject(file=name, offset=offset, reason=f"no reply: {error}", raw=text)
        return
    author = line.author.strip().removeprefix("@")
    number = str(line.id).strip()
    if line.text.strip() and number:
        yield Message(
            platform=line.platform,
            conversation_id="timeline",
            conversation_type="feed",
            message_id=number,
            sender_id=line.author_id,
            sender_name=line.name or author or "somebody",
            sender_handle=author,
            timestamp=_timestamp(line.created_at),
            text=line.text,
            reply_to_id=line.reply_to,
        )


def _decoded(raw: bytes) -> _Line:
    try:
        return _DECODER.decode(raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return _DECODER.decode(mend_json(raw))


def _timestamp(text: str) -> float | None:
    return iso_timestamp(text)


SOURCE = Source("replies.jsonl", claim_each(_recognises), _read)
