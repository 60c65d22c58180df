"""Reading speed and memory of the two largest exports, beside json.load and ijson, from one run.

`python bench/imports.py --megabytes 1000` writes a Telegram result.json and an X tweets.js of that size (invented words),
also zipped, and reads each in a process of its own: MB a CPU-second, and peak MiB above the same process before it opened
the file. Ours makes messages of all records; json.load and ijson only parse. `--whole` adds what `python -m trainer import`
takes for all of it, on one core: reading, cleaning, names, conversations, corpus.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "the cat disagreed with my plans again so we had dumplings at midnight and nobody slept until the tram came by "
    "honestly I would do it twice 小雨 said 早安 😀 haha ok but why is the workshop always cold in june"
).split()
WAYS = ("ours", "json.load", "ijson")
WHOLE = "import"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200, help="size of each export")
    parser.add_argument("--whole", action="store_true", help="also the whole import command, on one core")
    parser.add_argument("--read", nargs=2, metavar=("WAY", "PATH"), help="read one file and print what it took")
    chosen = parser.parse_args()
    if chosen.read:
        print(json.dumps(measured(*chosen.read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in written(Path(folder), chosen.megabytes):
            show(path, (*WAYS, WHOLE) if chosen.whole else WAYS)


def show(path: Path, ways: Sequence[str]) -> None:
    """A row for each way, ours first, and how ours compares."""
    results = {way: in_its_own_process(way, path) for way in ways}
    ours = results["ours"]
    print(f"\n{path.name}, {ours['megabytes']:,.0f} MB, {ours['records']:,.0f} records")
    print(f"{'':10} {'MB/CPU-s':>9} {'peak MiB':>9}  ours is")
    for way, result in results.items():
        speed = result["megabytes"] / result["seconds"]
        ratio = result["seconds"] / ours["seconds"]
        lean = result["mebibytes"] / max(ours["mebibytes"], 1)
        smaller = f", {lean:.0f} times as small" if lean >= 2 else ""
        beside = f"{ratio:.1f} times as fast{smaller}" if way in WAYS[1:] else ""
        print(f"{way:10} {speed:9.0f} {result['mebibytes']:9.0f}  {beside}", flush=True)


def in_its_own_process(way: str, path: Path) -> dict[str, float]:
    """What `measured` gives, without what another way left in memory."""
    done = subprocess.run(
        [sys.executable, __file__, "--read", way, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measured(way: str, path: str) -> dict[str, float]:
    """Megabytes (unpacked), records, CPU seconds, and MiB of memory above what importing the reader took."""
    if way == WHOLE:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    read = reader(way)
    before = peak()
    start = time.process_time()
    records, size = read(Path(path))
    return {
        "megabytes": size / 1e6,
        "records": records,
        "mebibytes": peak() - before,
        "seconds": time.process_time() - start,
    }


def peak() -> float:
    """MiB this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reader(way: str) -> Callable[[Path], tuple[int, int]]:
    """A function that reads a file whole and returns its number of records and its size; imports are done before."""
    sys.path.insert(0, str(ROOT))
    if way == "ours":
        from trainer.sources.registry import find

        def ours(path: Path) -> tuple[int, int]:
            (export,) = find(path)
            return counted(export.read(lambda _: None)), export.size

        return ours
    if way == WHOLE:
        return whole_import()
    import ijson

    def rival(path: Path) -> tuple[int, int]:
        with opened(path) as (stream, size):
            skip = stream.readline() if "tweets" in path.name else b""  # `window.YTD.tweets.part0 =`
            if way == "json.load":
                found = json.load(stream)
                return len(found["messages"] if isinstance(found, dict) else found), size
            key = "item" if skip else "messages.item"
            return counted(ijson.items(stream, key)), size

    return rival


def counted(records: Iterable[object]) -> int:
    """How many there are, with as little work of our own as can be."""
    last = deque(enumerate(records, start=1), maxlen=1)
    return last[0][0] if last else 0


def whole_import() -> Callable[[Path], tuple[int, int]]:
    """What the import command does, for a persona who is in both exports."""
    from persona.config import load
    from trainer.ingest.pipeline import import_exports
    from trainer.progress import Bars
    from trainer.sources.registry import find

    def whole(path: Path) -> tuple[int, int]:
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder, "persona.toml")
            settings.write_text('[persona]\nname = "Person 1"\naliases = ["Me"]\n')
            done = import_exports(load(settings), [path], fresh=True, bars=Bars(quiet=True))
            return sum(done.counts.read.values()), next(find(path)).size

    return whole


class opened:  # noqa: N801 (used as a function is)
    """The stream of an export, out of its zip if it lies in one, and its size."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path) if path.suffix == ".zip" else None
        if self._zip:
            (info,) = self._zip.infolist()
            self._stream, self._size = self._zip.open(info), info.file_size
        else:
            self._stream, self._size = path.open("rb"), path.stat().st_size

    def __enter__(self) -> tuple[IO[bytes], int]:
        return self._stream, self._size

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        if self._zip:
            self._zip.close()


def written(folder: Path, megabytes: int) -> Iterator[Path]:
    """The exports, one after the other; each is gone when the next is asked for."""
    for name, inner, pieces in (("result.json", "result.json", telegram), ("tweets.js", "data/tweets.js", x_archive)):
        path = folder / name
        with path.open("w", encoding="utf-8") as file:
            size = 0
            for piece in pieces(megabytes * 1_000_000):
                size += file.write(piece)
        yield path
        packed = path.with_name(f"{name}.zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(path, inner)
        path.unlink()
        yield packed
        packed.unlink()


def telegram(size: int) -> Iterator[str]:
    """Telegram Desktop's layout: one space a level."""
    rng = random.Random(1)
    yield '{\n "name": "bench",\n "type": "private_group",\n "id": 77,\n "messages": [\n'
    done, number = 0, 0
    while done < size:
        text = " ".join(rng.choices(WORDS, k=rng.randint(1, 24)))
        who = rng.randint(1, 6)
        row = {
            "id": number,
            "type": "message",
            "date": "2021-03-04T05:06:07",
            "date_unixtime": str(1614834367 + 40 * number),
            "from": f"Person {who}",
            "from_id": f"user{who}00000001",
            **({"reply_to_message_id": number - 1} if number % 7 == 1 else {}),
            "text": text,
            "text_entities": [{"type": "plain", "text": text}],
        }
        piece = json.dumps(row, ensure_ascii=False, indent=1).replace("\n", "\n  ")
        piece = (",\n  " if number else "  ") + piece
        done, number = done + len(piece.encode()), number + 1
        yield piece
    yield "\n ]\n}"


def x_archive(size: int) -> Iterator[str]:
    """X's layout: two spaces a level, numbers as strings."""
    rng = random.Random(2)
    yield "window.YTD.tweets.part0 = \n[\n"
    done, number = 0, 0
    while done < size:
        words = " ".join(rng.choices(WORDS, k=rng.randint(3, 30))).replace("&", "&amp;")
        link = {"url": "https://t.co/abcdefghij", "expanded_url": f"https://example.org/{number}"}
        text = f"{words} {link['url']}" if number % 4 == 0 else words
        indices = [str(len(words) + 1), str(len(words) + 24)]
        row = {
            "edit_info": {
                "initial": {
                    "editTweetIds": [str(10**18 + number)],
                    "editableUntil": "2023-01-01T00:00:00.000Z",
                    "editsRemaining": "5",
                    "isEditEligible": True,
                }
            },
            "retweeted": False,
            "source": '<a href="https://example.org" rel="nofollow">App</a>',
            "entities": {
                "hashtags": [],
                "symbols": [],
                "user_mentions": [],
                "urls": [{**link, "display_url": "example.org", "indices": indices}] if number % 4 == 0 else [],
            },
            "display_text_range": ["0", str(len(text))],
            "favorite_count": "3",
            "id_str": str(10**18 + number),
            "truncated": False,
            "retweet_count": "0",
            "id": str(10**18 + number),
            "created_at": f"Mon May 05 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000 2014",
            "favorited": False,
            "full_text": text,
            "lang": "en",
        }
        piece = json.dumps({"tweet": row}, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        piece = (",\n  " if number else "  ") + piece
        done, number = done + len(piece.encode()), number + 1
        yield piece
    yield "\n]"


if __name__ == "__main__":
    main()
