"""Files, folders, zips and tars; and what is refused of them, in a sentence and in little memory."""

import bz2
import gzip
import io
import lzma
import pickle
import re
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from persona.errors import UserError
from tests.trainer.sources.reading import FIXTURES, read, zipped
from trainer.sources.registry import find

TWEETS = 'window.YTD.tweets.part0 = [\n  {\n    "tweet" : {\n      "id_str" : "1",\n      "created_at" : "",\n      "full_text" : "hi"\n    }\n  }\n]'  # noqa: E501


def zip_of(path: Path, *infos: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in infos:
            archive.writestr(info, content)
    return path


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def refused(path: Path) -> str:
    with pytest.raises(UserError) as error:
        list(find(path))
    return str(error.value)


@pytest.mark.parametrize("name", ["../x.js", "/etc/x.js", "a/../../x.js", "..\\x.js", "C:\\x.js"])
def test_a_member_that_leads_out_of_its_archive_is_refused(tmp_path: Path, name: str) -> None:
    """In zips and tars; nothing is unpacked under such a name anyway."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    assert "leads out of it" in refused(zip_of(tmp_path / "a.zip", (info, b"hi")))
    assert "leads out of it" in refused(tar_of(tmp_path / "a.tar.gz", (tarfile.TarInfo(name), b"hi")))


def test_links_are_refused(tmp_path: Path) -> None:
    """Symbolic and hard ones, and devices."""
    info = zipfile.ZipInfo("tweets.js")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert "a link or a device" in refused(zip_of(tmp_path / "a.zip", (info, b"/etc/passwd")))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        member = tarfile.TarInfo("tweets.js")
        member.type, member.linkname = kind, "/etc/passwd"
        assert "a link or a device" in refused(tar_of(tmp_path / "a.tar.gz", (member, b"")))


def test_a_link_out_of_a_folder_is_left_out_and_told(tmp_path: Path) -> None:
    """What it leads to was not named; links inside the folder are fine."""
    (tmp_path / "secret.js").write_text(TWEETS)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "tweets.js").write_text(TWEETS)
    (folder / "out.js").symlink_to(tmp_path / "secret.js")
    (folder / "in.js").symlink_to(folder / "tweets.js")
    told: list[str] = []
    (export,) = find(folder, told.append)
    assert export.members == ("in.js", "tweets.js")
    assert len(told) == 1
    assert "leads out of the folder" in told[0]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_bombs_are_refused_before_they_go_off(tmp_path: Path, kind: str) -> None:
    """By the ratio of their sizes, without unpacking."""
    zeros = bytes(100 << 20)
    if kind == "zip":
        path = zip_of(tmp_path / "bomb.zip", ("tweets.js", zeros))
    else:
        path = tar_of(tmp_path / "bomb.tar.gz", (tarfile.TarInfo("tweets.js"), zeros))
    del zeros
    assert re.search(r"would unpack [\d.,]+ MB to [\d,]+ MB", refused(path))


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """Bombs whose members share their bytes (Fifield, 2019) have a small ratio each."""
    path = zip_of(tmp_path / "a.zip", ("a", b"x" * 5000 + bytes(range(256)) * 40), ("b", b"y"))
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    entry = raw[start : raw.index(b"PK\x01\x02", start + 4)]
    directory = entry * 200
    end = bytearray(raw[raw.rindex(b"PK\x05\x06") :])
    end[8:12] = (200).to_bytes(2, "little") * 2
    end[12:16] = len(directory).to_bytes(4, "little")
    path.write_bytes(raw[:start] + directory + bytes(end))
    assert "overlap" in refused(path)


def test_a_zip_of_a_million_members_is_refused_before_it_is_listed(tmp_path: Path) -> None:
    """Its directory would fill the memory; its end tells how long it is."""
    path = zip_of(tmp_path / "a.zip", ("a", b"x"))
    raw = bytearray(path.read_bytes())
    end = raw.rindex(b"PK\x05\x06")
    raw[end + 12 : end + 16] = (100 << 20).to_bytes(4, "little")  # bytes of the directory
    path.write_bytes(raw)
    tracemalloc.start()
    assert "no export has so many" in refused(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("cut", [10, 200, -30])
def test_damaged_archives_are_a_sentence(tmp_path: Path, cut: int) -> None:
    """Cut in the middle, or at the end."""
    whole = zip_of(tmp_path / "whole.zip", ("data/tweets.js", TWEETS.encode()))
    path = tmp_path / "cut.zip"
    path.write_bytes(whole.read_bytes()[:cut])
    assert "download the export again" in refused(path)


def test_damage_inside_a_member_costs_what_follows_it(tmp_path: Path) -> None:
    """All up to the damage is kept."""
    many = [TWEETS[:-2].replace('"1"', f'"{number}"') for number in range(3)]
    path = zip_of(
        tmp_path / "a.zip", ("data/tweets.js", TWEETS.encode()), ("data/tweets-part1.js", many[0].encode() * 99)
    )
    raw = bytearray(path.read_bytes())
    second = raw.index(b"data/tweets-part1.js") + 60
    raw[second : second + 20] = bytes(20)
    path.write_bytes(raw)
    told: list[str] = []
    found = [item for export in find(path, told.append) for item in export.read(lambda _: None)]
    assert [one.text for one in found if hasattr(one, "text")] == ["hi"]
    assert told


def test_an_encrypted_zip_is_a_sentence(tmp_path: Path) -> None:
    """It can't be read, and that is said."""
    path = zip_of(tmp_path / "a.zip", ("tweets.js", TWEETS.encode()))
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert "can't be unpacked" in refused(path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_are_read_however_they_are_packed(tmp_path: Path, mode: str) -> None:
    """Also in another process, and their temporary folder goes with them."""
    path = tar_of(tmp_path / "a.tar", (tarfile.TarInfo("data/tweets.js"), TWEETS.encode()), mode=mode)
    (export,) = find(path)
    folder = next(iter(export.tree._files.values())).parent  # type: ignore[attr-defined]
    copy = pickle.loads(pickle.dumps(export))
    assert [one.text for one in copy.read(lambda _: None)] == ["hi"]
    assert folder.is_dir()
    del export
    assert not folder.exists()


def test_a_zip_that_an_export_carries_is_not_opened(tmp_path: Path) -> None:
    """Somebody sent it in a chat."""
    inner = zip_of(tmp_path / "inner.zip", ("data/tweets.js", TWEETS.encode())).read_bytes()
    carrying = zip_of(tmp_path / "b.zip", ("data/tweets.js", TWEETS.encode()), ("media/sent.zip", inner))
    messages, rejects = read(carrying)
    assert [message.text for message in messages] == ["hi"] and not rejects


def test_pictures_are_passed_over(tmp_path: Path) -> None:
    """No reader looks at them; archives and exports in a folder are found beside them."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n" + TWEETS.encode())
    zip_of(tmp_path / "x.zip", ("data/tweets.js", TWEETS.encode()), ("data/media/1.jpg", b"\xff\xd8\xff" + bytes(99)))
    messages, _ = read(tmp_path)
    assert [one.text for one in messages] == ["hi"]


def test_an_export_goes_to_another_process_and_reads_the_same(tmp_path: Path) -> None:
    """Zips are opened anew there."""
    path = zip_of(tmp_path / "x.zip", ("data/tweets.js", TWEETS.encode()))
    for where in (path, FIXTURES / "x_2023"):
        for export in find(where):
            copy = pickle.loads(pickle.dumps(export))
            assert list(copy.read(lambda _: None)) == list(export.read(lambda _: None))


CHAT = "[04/03/2021, 22:05:33] Bo: hi there\n[04/03/2021, 22:05:40] Ana: no\n"


@pytest.mark.parametrize(("suffix", "opens"), [("gz", gzip.open), ("bz2", bz2.open), ("xz", lzma.open)])
def test_a_file_that_was_packed_alone_is_read(tmp_path: Path, suffix: str, opens: Callable[..., Any]) -> None:
    """By itself and in a folder; a sticker, which is packed too, is none."""
    path = tmp_path / f"WhatsApp Chat - Bo.txt.{suffix}"
    with opens(path, "wt", encoding="utf-8") as file:
        file.write(CHAT)
    (tmp_path / "AnimatedSticker.tgs").write_bytes(gzip.compress(b"{}"))
    assert [message.text for where in (path, tmp_path) for message in read(where)[0]] == ["hi there", "no"] * 2
    path.write_bytes(path.read_bytes()[:-9])
    refused: list[str] = []
    assert not list(find(path, refused.append))
    assert "can't be unpacked" in refused[0]


def test_a_zip_of_zips_is_read_one_deep(tmp_path: Path) -> None:
    """As they come out of a folder that was packed whole; what lies deeper is named."""
    inner = zipped(tmp_path / "inner.zip", {"WhatsApp Chat - Bo/_chat.txt": CHAT}).read_bytes()
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("a.zip", inner)
        archive.writestr("__MACOSX/._a.zip", b"\0\5\x16\7")
    assert [message.text for message in read(outer)[0]] == ["hi there", "no"]
    with zipfile.ZipFile(tmp_path / "outmost.zip", "w") as archive:
        archive.writestr("b.zip", outer.read_bytes())
    refused: list[str] = []
    assert not list(find(tmp_path / "outmost.zip", refused.append))
    assert refused == [
        "outmost.zip/b.zip holds archives, such as a.zip; unpack it and name the folder, whose archives are read"
    ]
