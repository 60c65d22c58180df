"""Every reader of the registry, on its fixtures whole, cut, mixed up and re-encoded: never a traceback, never a hang.

A new format is tested here as soon as it has a line in the registry and a folder in tests/fixtures.
"""

import shutil
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trainer.sources.reading import FIXTURES
from trainer.sources.message import Message, Reject
from trainer.sources.registry import SOURCES, find

FILES = sorted(path for path in FIXTURES.rglob("*") if path.is_file())
FOLDERS = sorted(path for path in FIXTURES.iterdir() if path.is_dir())
SMALL = 20_000  # bytes; of smaller fixtures more truncations are tried

pytestmark = pytest.mark.timeout(120)


def everything(path: Path) -> list[tuple[str, Message | Reject]]:
    """All that is read of `path`, with the format that reads it; what is refused counts as rejected."""
    told: list[str] = []
    found = [(export.source.name, item) for export in find(path, told.append) for item in export.read(lambda _: None)]
    for _, item in found:
        assert isinstance(item, Message | Reject)
    return found + [("", Reject(file=path.name, offset=0, reason=reason)) for reason in told]


def copied(folder: Path, to: Path) -> Path:
    """A fixture's folder, to be spoiled."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def folder_of(path: Path) -> Path:
    return FIXTURES / path.relative_to(FIXTURES).parts[0]


def ids(path: Path) -> str:
    return path.relative_to(FIXTURES).as_posix()


def test_every_format_has_a_fixture_that_it_alone_claims() -> None:
    """What is in a folder is read, and by no reader of another platform's chats."""
    read = {name for folder in FOLDERS for name, _ in everything(folder)}
    assert {source.name for source in SOURCES} <= read


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_zip_reads_like_its_folder(folder: Path, tmp_path: Path) -> None:
    """Whatever the format."""
    path = tmp_path / f"{folder.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not zipfile.is_zipfile(file) and not file.name.endswith(".gz"):
                archive.write(file, file.relative_to(folder).as_posix())
    plain = Counter(item.text for _, item in everything(folder) if isinstance(item, Message))
    packed = Counter(item.text for _, item in everything(path) if isinstance(item, Message))
    assert packed <= plain
    assert packed or not any(one.suffix not in (".gz", ".zip") for one in folder.rglob("*") if one.is_file())


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_a_fixture_cut_anywhere_is_read_without_a_traceback(file: Path, tmp_path: Path) -> None:
    """At every thousandth byte, and in small ones at every 97th."""
    folder = copied(folder_of(file), tmp_path / "x")
    raw = file.read_bytes()
    target = folder / file.relative_to(folder_of(file))
    whole = len(everything(folder))
    for cut in {*range(0, len(raw), 1000), *(range(0, len(raw), 97) if len(raw) < SMALL else ())}:
        target.write_bytes(raw[:cut])
        assert len(everything(folder)) <= 2 * whole + 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_fixture_mixed_up_is_read_without_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Stretches left out, doubled, overwritten with anything."""
    file = data.draw(st.sampled_from(FILES))
    raw = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 40))
        new = data.draw(
            st.one_of(st.binary(max_size=12), st.sampled_from(_NASTY), st.just(bytes(raw[at : at + length]) * 2))
        )
        raw[at : at + length] = new
    path = tmp_path_factory.getbasetemp() / "mixed" / file.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    try:
        everything(path)
    finally:
        path.unlink()


_NASTY = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    rb"\ud800",
    rb"\xe9",
    b"\\",
    b'"',
    b"[" * 300,
    b'{"a":' * 300,
    b"}]}]",
    b"null",
    b"-1e999",
    b"99999999999999999999999",
    b"\n\n\n",
    b"\r",
    b",,,,,",
    b"<" * 50,
    b"&#x110000;",
    "\u2028".encode(),
    "\u202e".encode(),
    "٣".encode(),
]


@pytest.mark.parametrize("file", FILES, ids=ids)
@pytest.mark.parametrize("tail", ["nothing", "random", "zeros", "brackets", "a line of 3 MB", "text"])
def test_garbage_behind_a_true_beginning_is_read_without_a_traceback(file: Path, tail: str, tmp_path: Path) -> None:
    """What claims a format need not be one."""
    garbage = {
        "nothing": b"",
        "random": bytes((number * 7919 + number // 251) % 256 for number in range(5000)),
        "zeros": bytes(5000),
        "brackets": b'[{"messages": [' * 3000,
        "a line of 3 MB": b"x" * (3 << 20),
        "text": b"so it goes on\n, and on: \xe9 \n" * 100,
    }[tail]
    path = tmp_path / file.name
    for size in (40, 400, 4000):
        path.write_bytes(file.read_bytes()[:size] + garbage)
        everything(path)


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_utf_16_is_read_like_utf_8(file: Path, tmp_path: Path) -> None:
    """As Windows' editors and shells save it; files that are no text are left alone."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        pytest.skip("no text")
    if "\0" in text:
        pytest.skip("no text")
    path = tmp_path / file.name
    path.write_bytes(text.encode())
    plain = [item.text for _, item in everything(path) if isinstance(item, Message)]
    path.write_bytes(text.encode("utf-16"))
    assert [item.text for _, item in everything(path) if isinstance(item, Message)] == plain


def endless(file: Path, path: Path, size: int) -> Iterator[int]:
    """`file` with one line of `size` bytes behind each of three beginnings."""
    for kept in (0.3, 0.7, 1.0):
        raw = file.read_bytes()
        with path.open("wb") as target:
            target.write(raw[: int(len(raw) * kept)])
            for _ in range(size >> 20):
                target.write(b"y" * (1 << 20))
        yield size


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=ids)
def test_a_line_of_100_mb_takes_little_memory(file: Path, tmp_path: Path) -> None:
    """A few times the longest record, in any format."""
    path = tmp_path / file.name
    for size in endless(file, path, 100 << 20):
        tracemalloc.start()
        for export in find(path, lambda _: None):
            for item in export.read(lambda _: None):
                assert isinstance(item, Message | Reject)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < size, f"{peak >> 20} MiB"
