"""The committed sample is what its generator writes."""

import filecmp
import json
import zipfile
from collections import Counter
from pathlib import Path

from examples.make_sample import make

EXPORTS = Path(__file__).parent.parent.parent / "examples" / "exports"


def test_the_generator_rebuilds_the_committed_sample_byte_for_byte(tmp_path: Path) -> None:
    """`make sample` changes nothing."""
    make(tmp_path, seed=7, tweet_count=2800, chat_count=6900)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(EXPORTS) for path in EXPORTS.rglob("*") if path.is_file())
    assert filecmp.cmpfiles(tmp_path, EXPORTS, [str(name) for name in files], shallow=False) == (
        [str(name) for name in files],
        [],
        [],
    )


def test_the_sample_is_a_group_of_six_with_enough_to_learn_from() -> None:
    """At least 16,000 messages, 5,000 of them the persona's, one who writes Chinese and one in bursts with emoji."""
    said: Counter[str] = Counter()
    for row in json.loads((EXPORTS / "telegram-kitchen-table/result.json").read_text(encoding="utf-8"))["messages"]:
        said[row.get("from", "")] += row["type"] == "message"
    for row in json.loads((EXPORTS / "discord-workbench.json").read_text(encoding="utf-8"))["messages"]:
        said[row["author"]["nickname"]] += not row["author"]["isBot"]
    with zipfile.ZipFile(EXPORTS / "twitter-maravoss.zip") as archive:
        for name in ("data/tweets.js", "data/tweets-part1.js"):
            rows = json.loads(archive.read(name).split(b"=", 1)[1])
            said["Mara Voss"] += sum(not row["tweet"]["full_text"].startswith("RT @") for row in rows)
    assert said.total() >= 16_000
    assert said["Mara Voss"] >= 5_000
    assert {"Priya Raman", "小雨", "Jonas Lindqvist", "Bram de Wit", "Noor Haddad"} <= said.keys()
