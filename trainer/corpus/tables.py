"""Messages and conversations as Parquet tables. Written and read some thousands at a time, column by column."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import astuple

from persona.transcript import Quote
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.row import QuotedLines, Row

_ROWS = pa.schema(
    [(name, pa.string()) for name in ("platform", "source", "channel", "kind", "message_id", "sender")]
    + [("at", pa.float64()), ("lines", pa.list_(pa.string())), ("reply_to", pa.string()), ("thread", pa.string())]
    + [("quoted", pa.list_(pa.string())), ("quoted_by", pa.string()), ("mentions", pa.list_(pa.string()))]
    + [("reactions", pa.list_(pa.string())), ("reacted_by", pa.list_(pa.string())), ("forwarded_from", pa.string())]
)
_LISTS = ("lines", "quoted", "mentions", "reactions", "reacted_by")
_KEYS, _KEY_LISTS = ("sender", "quoted_by", "forwarded_from"), ("mentions", "reacted_by")  # identity keys
_LATER = {"reactions": (), "reacted_by": (), "forwarded_from": ""}  # columns that a corpus of 0.2 and before lacks
_REPEATED = ["platform", "source", "channel", "kind", "sender", "thread", "quoted_by", "forwarded_from"]  # columns
_ROWS_AT_ONCE = 1 << 14  # so that a corpus is not in memory twice while it is written
_QUOTE = pa.struct([("speaker", pa.string()), ("words", pa.string())])
_TURN = pa.struct([("speaker", pa.string()), ("lines", pa.list_(pa.string())), ("at", pa.float64()), ("quote", _QUOTE)])
_CONVERSATIONS = pa.schema(
    [(name, pa.string()) for name in ("id", "part", "platform", "scene")]
    + [("year", pa.int16()), ("turns", pa.list_(_TURN))]
)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write messages without names: people.json alone tells who is who."""
    tables = (_table(rows[start : start + _ROWS_AT_ONCE]) for start in range(0, len(rows), _ROWS_AT_ONCE))
    _write(path, _ROWS, tables, use_dictionary=_REPEATED)


def read_rows(path: Path, identities: Iterable[str]) -> Iterator[Row]:
    """Yield the messages that `write_rows` wrote. identities: the identity keys of people.json."""
    keys = {_nameless(key): key for key in identities}
    for batch in pq.ParquetFile(path).iter_batches(_ROWS_AT_ONCE):
        yield from (_read(row, keys) for row in batch.to_pylist())


def write_conversations(path: Path, records: Sequence[ConversationRecord], splits: Mapping[str, str]) -> None:
    """Write conversations, each with its split."""
    _write(path, _CONVERSATIONS, (_conversations(batch, splits) for batch in _batches(records)))


def read_splits(path: Path) -> dict[str, str]:
    """Return the split of each conversation, by its id."""
    held = pq.read_table(path, columns=["id", "part"])
    return dict(zip(held["id"].to_pylist(), map(intern, held["part"].to_pylist()), strict=True))


def _write(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], **options: Any) -> None:
    """Write tables one below the other; a thread compresses each, without the interpreter, while the next is put together."""
    with pq.ParquetWriter(path, schema, compression="zstd", **options) as writer, ThreadPoolExecutor(1) as thread:
        written: Future[None] | None = None
        for table in tables:
            if written:
                written.result()
            written = thread.submit(writer.write_table, table)
        if written:
            written.result()
    pa.default_memory_pool().release_unused()


def _read(packed: dict[str, Any], keys: Mapping[str, str]) -> Row:
    """Return the row of what `_table` made. keys: identity keys by what stands for them; the others are nobody's any more."""
    packed = _LATER | packed
    quoted, reacted = tuple(packed["quoted"]), zip(packed["reactions"], packed["reacted_by"], strict=True)
    return Row(
        intern(packed["platform"]),
        intern(packed["source"]),
        intern(packed["channel"]),
        intern(packed["kind"]),
        packed["message_id"],
        keys[packed["sender"]],
        packed["at"],
        tuple(packed["lines"]),
        packed["reply_to"],
        intern(packed["thread"]),
        QuotedLines(quoted, keys.get(packed["quoted_by"], "")) if quoted else None,
        tuple(keys[key] for key in packed["mentions"] if key in keys),
        tuple((emoji, keys[key]) for emoji, key in reacted if key in keys),
        keys.get(packed["forwarded_from"], "?" if packed["forwarded_from"] else ""),
    )


@lru_cache(1 << 16)
def _nameless(key: str) -> str:
    """Return an identity key; one that holds a name or a phone number is hashed."""
    platform, bare, name = key.partition(":=")
    return f"{platform}:={hashlib.blake2b(name.encode(), digest_size=10).hexdigest()}" if bare else key


def _all_nameless(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the same for many keys, most of them of few people."""
    return tuple(map({key: _nameless(key) for key in set(keys)}.__getitem__, keys))


def _table(rows: Sequence[Row]) -> pa.Table:
    columns: dict[str, Sequence[Any]] = dict(
        zip(Row.__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True)
    )
    columns |= {
        "kind": columns["conversation_type"],
        "quoted": [quoted.lines if quoted else () for quoted in columns["quoted"]],
        "quoted_by": [quoted.author if quoted else "" for quoted in columns["quoted"]],
        "reactions": [pairs and [emoji for emoji, _ in pairs] for pairs in columns["reactions"]],
        "reacted_by": [pairs and [key for _, key in pairs] for pairs in columns["reactions"]],
    }
    columns |= {name: _all_nameless(columns[name]) for name in _KEYS if any(columns[name])}
    columns |= {
        name: [keys and [*map(_nameless, keys)] for keys in columns[name]] for name in _KEY_LISTS if any(columns[name])
    }
    arrays = {name: _lists(columns[name]) if name in _LISTS else _column(columns[name], name) for name in _ROWS.names}
    return pa.table(arrays, _ROWS)


def _column(values: Sequence[Any], name: str) -> pa.Array:
    """Return a column of texts or numbers; most of them say the same in all rows."""
    kind = _ROWS.field(name).type
    if values[0] == values[-1] and values.count(values[0]) == len(values):
        return pa.repeat(pa.scalar(values[0], kind), len(values))
    return pa.array(values, kind)


def _conversations(records: Sequence[ConversationRecord], splits: Mapping[str, str]) -> pa.Table:
    turns = [record.conversation.turns for record in records]
    said = list(chain.from_iterable(turns))
    quotes = [turn.quote for turn in said]
    columns = (
        pa.array([turn.speaker for turn in said], pa.string()),
        _lists([turn.lines for turn in said]),
        pa.array(list(chain.from_iterable(record.timestamps for record in records)), pa.float64()),
        _quotes(quotes),
    )
    return pa.table(
        {
            "id": [record.id for record in records],
            "part": [splits[record.id] for record in records],
            "platform": [record.platform for record in records],
            "scene": [record.conversation.scene for record in records],
            "year": [record.conversation.year for record in records],
            "turns": _nested(turns, pa.StructArray.from_arrays(columns, fields=list(_TURN))),
        },
        _CONVERSATIONS,
    )


def _quotes(quotes: Sequence[Quote | None]) -> pa.StructArray:
    columns = (
        pa.array([given and given.speaker for given in quotes], pa.string()),
        pa.array([given and given.words for given in quotes], pa.string()),
    )
    return pa.StructArray.from_arrays(columns, fields=list(_QUOTE), mask=pa.array([given is None for given in quotes]))


def _lists(values: Sequence[Sequence[str]]) -> pa.ListArray:
    """Return a column of lists of texts. Made of bytes: of each string that pyarrow reads, Python would keep the UTF-8, too."""
    if not any(values):
        return pa.ListArray.from_arrays(pa.array(np.zeros(len(values) + 1, np.int32)), pa.array([], pa.string()))
    texts = pa.array([text.encode() for text in chain.from_iterable(values)], pa.binary())
    return _nested(values, texts.view(pa.string()))


def _nested(lists: Sequence[Sequence[Any]], values: pa.Array) -> pa.ListArray:
    """Return `values` as a column of lists as long as those in `lists`."""
    ends = np.zeros(len(lists) + 1, np.int32)
    if len(values):
        np.cumsum(np.fromiter(map(len, lists), np.int32, len(lists)), out=ends[1:])
    return pa.ListArray.from_arrays(pa.array(ends), values)


def _batches(records: Sequence[ConversationRecord]) -> Iterator[list[ConversationRecord]]:
    """Conversations in batches of about `_ROWS_AT_ONCE` turns: one may have hundreds."""
    batch: list[ConversationRecord] = []
    turns = 0
    for record in records:
        batch.append(record)
        turns += len(record.conversation.turns)
        if turns >= _ROWS_AT_ONCE:
            yield batch
            batch, turns = [], 0
    if batch:
        yield batch
