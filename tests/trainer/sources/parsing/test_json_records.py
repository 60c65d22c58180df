"""Records out of JSON of any layout, damaged or whole, in little memory."""

import io
import json
import tracemalloc
from typing import Any

import msgspec
import pytest

from trainer.sources.message import Reject
from trainer.sources.parsing.json_records import JsonRecords, Opening


class Row(msgspec.Struct):
    id: int
    text: str = ""
    parts: list[Any] = []


def records(raw: bytes, key: str = "rows") -> list[Row | Opening | Reject]:
    return list(JsonRecords(lambda: io.BytesIO(raw), "f.json", key, Row))


def rows(raw: bytes, key: str = "rows") -> list[int]:
    return [one.id for one in records(raw, key) if isinstance(one, Row)]


ROWS = [{"id": number, "text": 'a "},{" ] } \n\\', "parts": [{"x": 1}, [{"y": []}]]} for number in range(5)]
LAYOUTS = {
    "one space": json.dumps({"name": "n", "rows": ROWS}, indent=1),
    "four spaces": json.dumps({"name": "n", "rows": ROWS}, indent=4),
    "tabs": json.dumps({"name": "n", "rows": ROWS}, indent="\t"),
    "one line": json.dumps({"name": "n", "rows": ROWS}),
    "no blanks": json.dumps({"name": "n", "rows": ROWS}, separators=(",", ":")),
    "a record a line": '{"name": "n", "rows": [\n' + ",\n".join(map(json.dumps, ROWS)) + "\n]}",
    "Jackson's": '{\n  "name" : "n",\n  "rows" : [ '
    + ", ".join(json.dumps(row, indent=2).replace("\n", "\n  ") for row in ROWS)
    + " ]\n}",
    "Windows' line ends": json.dumps({"name": "n", "rows": ROWS}, indent=2).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + json.dumps({"name": "n", "rows": ROWS}, indent=2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_same_records(layout: str) -> None:
    """With what stood before the array in its object."""
    found = records(LAYOUTS[layout].encode())
    assert found[0] == Opening({"name": "n"})
    assert [msgspec.to_builtins(one) for one in found[1:]] == ROWS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_cut_at_any_byte_keeps_all_before_it_and_is_told(layout: str) -> None:
    """Every record that is whole is kept; one Reject says where the file ends."""
    raw = LAYOUTS[layout].encode()
    ends = [raw.index(b'"y"'), raw.rindex(b"]") - 1]
    for cut in range(ends[0], ends[1], 7):
        found = records(raw[:cut])
        whole = [one.id for one in found if isinstance(one, Row)]
        assert whole == list(range(len(whole)))
        assert isinstance(found[-1], Reject)
        assert "cut off" in found[-1].reason
        assert sum(isinstance(one, Reject) for one in found) == 1


@pytest.mark.parametrize("indent", [2, None])
def test_a_record_that_is_broken_costs_only_itself(indent: int | None) -> None:
    """It is kept verbatim, with its offset, and so are bytes that are no UTF-8."""
    raw = json.dumps({"rows": ROWS}, indent=indent).encode().replace(b'"id": 2', b'"id": "\xff"')
    found = records(raw)
    assert [one.id for one in found if isinstance(one, Row)] == [0, 1, 3, 4]
    (reject,) = [one for one in found if isinstance(one, Reject)]
    kept = reject.raw.encode("utf-8", "surrogateescape")
    assert b'"id": "\xff"' in kept
    assert raw[reject.offset : reject.offset + len(kept)] == kept


@pytest.mark.parametrize("indent", [2, None])
def test_what_exporters_break_is_mended(indent: int | None) -> None:
    """\\xHH, half a surrogate pair, raw control characters, NUL."""
    broken = {
        rb"caf\xe9": "café",
        rb"\ud83d!": "\ufffd!",
        rb"\ud83d\ude00": "😀",
        b"a\tb\x00c": "a\tb\x00c",
        rb"C:\\x41": r"C:\x41",
    }
    raw = json.dumps(
        {"rows": [{"id": number, "text": f"@{number}@"} for number in range(len(broken))]}, indent=indent
    ).encode()
    for number, text in enumerate(broken):
        raw = raw.replace(b"@%d@" % number, text)
    assert [one.text for one in records(raw) if isinstance(one, Row)] == list(broken.values())


@pytest.mark.parametrize(
    "raw",
    [
        b'{"rows": [' + b"[" * 200_000,
        b'{"rows": [' + b'{"parts": [' * 200_000,
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"rows": [{"id": 1, "parts": ' + b"[" * 5000 + b"]" * 5000 + b"}]}",
    ],
)
def test_deep_nesting_is_a_reject(raw: bytes) -> None:
    """No reader runs out of stack."""
    found = records(raw)
    assert [one for one in found if isinstance(one, Row)] == []
    assert any(isinstance(one, Reject) for one in found)


@pytest.mark.parametrize(
    "before", [b'{"rows": [{"id": 1}, {"id": 2, "text": "', b'{\n "rows": [\n  {\n   "id": 1\n  },\n  {\n   "text": "']
)
def test_an_endless_string_is_a_reject_in_little_memory(before: bytes) -> None:
    """40 MB of it: it is no message."""

    class Endless(io.RawIOBase):
        left = 40 << 20

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            nonlocal before
            if before:
                count = len(before)
                buffer[:count], before = before, b""
                return count
            count = min(len(buffer), self.left)
            buffer[:count] = b"x" * count
            self.left -= count
            return count

    start = before
    tracemalloc.start()
    opened = 0

    def reopen() -> Any:
        nonlocal before, opened
        before, opened = start, opened + 1
        return io.BufferedReader(Endless(), 1 << 20)

    found = list(JsonRecords(reopen, "f", "rows", Row))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.id for one in found if isinstance(one, Row)] == [1]
    assert "no message is" in next(one.reason for one in found if isinstance(one, Reject))
    assert peak < 80 << 20


UNEVEN = """{
 "name": "n",
 "rows": [
  {
  "id": 1,
  "parts": [
   {
    "x": 1
   }
  ]
 },
{
    "id": 2
  },
  {"id": 3}, {
        "id": 4,
        "parts": [
  {
   "x": 1
  }
        ]
    },
{
  "id": 5
 }
 ]}
"""


def test_records_indented_unevenly_are_read_to_the_last() -> None:
    """A file edited by hand is valid JSON: nothing of it is cut."""
    found = records(UNEVEN.encode())
    assert [getattr(item, "id", item) for item in found[1:]] == [1, 2, 3, 4, 5]


def test_an_uneven_file_that_is_cut_keeps_all_before_the_cut() -> None:
    """And only then it is called cut off."""
    raw = '{"rows": [\n  {\n  "id": 1\n },\n{\n    "id": 2\n  }, {"id": 3},\n{\n "id"'
    found = records(raw.encode())
    assert [item.id for item in found if isinstance(item, Row)] == [1, 2, 3]
    assert [item.reason for item in found if isinstance(item, Reject)] == ["the file is cut off here"]


def test_every_array_is_read_if_only_some_are_laid_out_as_the_exporter_does() -> None:
    """The scan by indentation would pass over the others."""
    regular = json.dumps({"rows": ROWS[:2]}, indent=1)
    raw = f'{{"list": [{regular},\n{{"rows": [{{"id": 7}}]}}, {{"rows": []}}, {json.dumps({"rows": ROWS[3:]}, indent=1)}]}}'
    assert rows(raw.encode()) == [0, 1, 7, 3, 4]


def test_what_stands_behind_an_array_is_known_before_its_records() -> None:
    """Keys in alphabetical order put `type` behind `messages`: a private chat would be taken for a group."""
    for indent in (None, 2):
        raw = json.dumps(
            [{"name": "a", "rows": ROWS[:1], "type": "dm"}, {"rows": ROWS[1:2], "type": "group"}], indent=indent
        )
        found = list(JsonRecords(lambda raw=raw: io.BytesIO(raw.encode()), "f.json", "rows", Row, needs="type"))  # type: ignore[misc]
        assert [item.fields for item in found if isinstance(item, Opening)] == [
            {"name": "a", "type": "dm"},
            {"type": "group"},
        ]
        assert [item.id for item in found if isinstance(item, Row)] == [0, 1]
