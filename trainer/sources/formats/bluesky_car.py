"""Bluesky's repository export: repo.car, a CAR v1 of DAG-CBOR blocks.

Learned from the AT Protocol's repository specification and the CAR v1 specification: records are
blocks without a name, and the nodes of a Merkle search tree give each its key, so the file is read twice: once for the keys
of posts, once for the posts. libipld decodes the blocks one by one; a whole repository is never in memory. The handle is not
in there, the display name is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import libipld

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.repair import verbatim
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

MAX_BLOCK_BYTES = 4 << 20  # bytes; the protocol allows 1 MiB a record
_POST, _PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"


@dataclass(frozen=True, slots=True)
class _Block:
    offset: int
    cid: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class _Repository:
    """Whose it is, and the key of each post by the id of its block."""

    did: str
    name: str
    keys: Mapping[bytes, str]


def _recognises(start: bytes) -> bool:
    return b"\xa2eroots\x81\xd8*X" in start[:16] and b"gversion\x01" in start[:80]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        whose = _repository(tree, name)
        for block in _blocks(tree, name):
            if isinstance(block, Reject):
                yield block
                continue
            try:
                record = libipld.decode_dag_cbor(block.content)
            except (ValueError, RecursionError) as error:
                raw = verbatim(block.content)
                yield Reject(file=name, offset=block.offset, reason=f"no readable block ({error})", raw=raw)
                continue
            if isinstance(record, dict) and record.get("$type") == _POST:
                yield _message(record, block.cid, whose)


def _repository(tree: Tree, name: str) -> _Repository:
    did = shown = ""
    keys: dict[bytes, str] = {}
    for block in _blocks(tree, name):
        try:
            record = libipld.decode_dag_cbor(block.content) if isinstance(block, _Block) else None
        except (ValueError, RecursionError):  # told when the posts are read
            continue
        if not isinstance(record, dict):
            continue
        if isinstance(record.get("did"), str) and "data" in record:
            did = record["did"]
        elif record.get("$type") == _PROFILE:
            shown = str(record.get("displayName") or "")
        elif isinstance(record.get("e"), list):
            keys.update(_posts_of(record["e"]))
    return _Repository(did, shown, keys)


def _posts_of(entries: list[Any]) -> Iterator[tuple[bytes, str]]:
    """Yield block ids and keys of the posts in one node of the tree.

    A key leaves out what it shares with the one before.
    """
    path = b""
    for entry in entries:
        if not (isinstance(entry, dict) and isinstance(entry.get("p"), int) and isinstance(entry.get("k"), bytes)):
            return
        path = path[: entry["p"]] + entry["k"]
        collection, _, key = path.partition(b"/")
        if collection == _POST.encode() and isinstance(entry.get("v"), bytes):
            yield entry["v"], key.decode("ascii", "replace")


def _blocks(tree: Tree, name: str) -> Iterator[_Block | Reject]:
    """Yield a header, then blocks: each a length, an id and its content."""
    with tree.open(name) as stream:
        header = _length(stream) or 0
        offset = header + len(stream.read(min(header, MAX_BLOCK_BYTES)))
        while (length := _length(stream)) is not None:
            block = stream.read(length) if length <= MAX_BLOCK_BYTES else b""
            size = _cid_size(block)
            if len(block) < length or not size:
                yield Reject(
                    file=name, offset=offset, reason="the file is cut off or damaged here", raw=verbatim(block)
                )
                return
            yield _Block(offset, block[:size], block[size:])
            offset += length + (length.bit_length() + 6) // 7


def _length(stream: BinaryIO) -> int | None:
    """Return a varint; None at the end of the file."""
    value = shift = 0
    while shift < 63:
        byte = stream.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
    return MAX_BLOCK_BYTES + 1


def _cid_size(block: bytes) -> int:
    """Return the bytes of the id a block begins with; 0 if it has none.

    An id is version 1, codec, hash and its length, all below 128.
    """
    if len(block) < 4 or block[0] != 1 or max(block[1:4]) > 127:
        return 0
    return 4 + block[3]


def _message(record: Mapping[str, Any], cid: bytes, whose: _Repository) -> Message:
    key = whose.keys.get(cid, "")
    reply = record.get("reply")
    parent = reply.get("parent") if isinstance(reply, dict) else None
    embed = record.get("embed")
    return Message(
        platform="bluesky",
        conversation_id="timeline",
        conversation_type="feed",
        message_id=f"at://{whose.did}/{_POST}/{key}" if key else cid.hex(),
        sender_id=whose.did or "me",
        sender_name=whose.name or whose.did or "Me",
        is_self=True,
        timestamp=_timestamp(record.get("createdAt")),
        text=str(record.get("text") or ""),
        reply_to_id=str(parent.get("uri") or "") if isinstance(parent, dict) else "",
        attachments=_media(embed) if isinstance(embed, dict) else (),
    )


def _media(embed: Mapping[str, Any]) -> tuple[str, ...]:
    inner = embed.get("media")
    shown = inner if isinstance(inner, dict) else embed
    images = shown.get("images")
    if isinstance(images, list):
        return ("photo",) * len(images)
    return ("video",) if "video" in shown else ()


def _timestamp(created: object) -> float | None:
    return iso_timestamp(str(created))


SOURCE = Source("Bluesky", claim_each(_recognises), _read)
