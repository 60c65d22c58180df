"""X archives: parts, notes, edits, entities, retweets, threads; and dates that can't be."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.sources.reading import FIXTURES, read, written, zipped

ACCOUNT = [{"account": {"username": "mara", "accountId": "7", "accountDisplayName": "Mara"}}]


def tweet(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id_str": str(number),
        "created_at": "Mon May 05 10:00:00 +0000 2014",
        "full_text": text,
        "entities": {},
        **more,
    }


def archive(
    parts: list[list[dict[str, Any]]], indent: int | None = 2, wrapped: bool = True, **files: Any
) -> dict[str, str]:
    """The members of an archive, with its manifest."""
    names = ["tweets.js", *(f"tweets-part{number}.js" for number in range(1, len(parts)))]
    listed = [{"fileName": f"data/{name}", "count": str(len(part))} for name, part in zip(names, parts, strict=True)]
    members = {"data/manifest.js": "window.__THAR_CONFIG = " + json.dumps({"dataTypes": {"tweets": {"files": listed}}})}
    members["data/account.js"] = "window.YTD.account.part0 = " + json.dumps(ACCOUNT)
    for number, (name, part) in enumerate(zip(names, parts, strict=True)):
        rows = [{"tweet": one} for one in part] if wrapped else part
        members[f"data/{name}"] = f"window.YTD.tweets.part{number} = " + json.dumps(rows, indent=indent)
    return members | {
        f"data/{name}.js": f"window.YTD.{name}.part0 = {json.dumps(rows, indent=2)}" for name, rows in files.items()
    }


@pytest.mark.parametrize("indent", [2, 4, None])
@pytest.mark.parametrize("wrapped", [True, False])
def test_every_part_is_read_whatever_its_layout(tmp_path: Path, indent: int | None, wrapped: bool) -> None:
    """Indented, minified, and without the wrapper of 2019."""
    members = archive([[tweet(1, "one"), tweet(2, "two")], [tweet(3, "three")]], indent, wrapped)
    messages, rejects = read(zipped(tmp_path / "x.zip", members))
    assert [(one.message_id, one.text) for one in messages] == [("1", "one"), ("2", "two"), ("3", "three")]
    assert {(one.sender_id, one.sender_name, one.sender_handle) for one in messages} == {("7", "Mara", "mara")}
    assert messages[0].timestamp == 1399284000.0
    assert rejects == []


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    """Unpacked, and somewhere below what was named."""
    messages, _ = read(
        written(tmp_path, {f"deep/down/{name}": text for name, text in archive([[tweet(1, "hi")]]).items()})
    )
    assert [one.text for one in messages] == ["hi"]


def test_links_are_whole_and_entities_undone(tmp_path: Path) -> None:
    """Indices count code points of the text as it stands in the file; media leave no link behind."""
    text = "a &amp; b 😀 https://t.co/x https://t.co/pic"
    entities = {
        "urls": [{"url": "https://t.co/x", "expanded_url": "https://example.com/?q=1", "indices": ["12", "26"]}],
        "media": [{"url": "https://t.co/pic", "type": "photo", "indices": ["27", "43"]}],
    }
    messages, _ = read(zipped(tmp_path / "x.zip", archive([[tweet(1, text, entities=entities)]])))
    assert messages[0].text == "a & b 😀 https://example.com/?q=1"
    assert messages[0].attachments == ("photo",)


def test_a_long_tweet_is_found_among_the_notes(tmp_path: Path) -> None:
    """By the same second and the same beginning; a note of another second is not taken."""
    note = "it began on a tuesday, " * 20
    rows = [
        {"noteTweet": {"createdAt": stamp, "core": {"text": text}}}
        for stamp, text in (("2014-05-05T10:00:01.000Z", "wrong"), ("2014-05-05T10:00:00.000Z", note))
    ]
    members = archive([[tweet(1, note[:275].rstrip() + "…"), tweet(2, "short…")]], **{"note-tweet": rows})  # type: ignore[arg-type]
    messages, _ = read(zipped(tmp_path / "x.zip", members))
    assert [one.text for one in messages] == [note, "short…"]


def test_replies_retweets_and_edits_are_told_apart(tmp_path: Path) -> None:
    """Leading handles of a reply are mentions; all versions of an edited tweet share the last one's id."""
    edit = {"edit_info": {"initial": {"editTweetIds": ["4", "5"]}}}
    rows = [
        tweet(1, "@bob @eve sure", in_reply_to_status_id_str="9", in_reply_to_screen_name="bob"),
        tweet(2, "RT @bob: mine"),
        tweet(3, "@bob is great"),
        tweet(4, "frist", **edit),
        tweet(5, "first", edit_info={"edit": {"editControlInitial": {"editTweetIds": ["4", "5"]}}}),
    ]
    messages, _ = read(zipped(tmp_path / "x.zip", archive([rows])))
    assert [(one.text, one.reply_to_id, one.forwarded_from, one.message_id) for one in messages] == [
        ("sure", "9", "", "1"),
        ("RT @bob: mine", "", "@bob", "2"),
        ("@bob is great", "", "", "3"),
        ("frist", "", "", "5"),
        ("first", "", "", "5"),
    ]


def test_impossible_dates_are_no_dates(tmp_path: Path) -> None:
    """They occur in real archives."""
    rows = [tweet(1, "old", created_at="Thu Jan 01 00:00:00 +0000 1970"), tweet(2, "odd", created_at="yesterday")]
    messages, _ = read(zipped(tmp_path / "x.zip", archive([rows])))
    assert [one.timestamp for one in messages] == [None, None]


def test_a_count_that_the_manifest_contradicts_is_told(tmp_path: Path) -> None:
    """A part that was cut or left out must not go unnoticed."""
    members = archive([[tweet(1, "one"), tweet(2, "two")]])
    cut = members["data/tweets.js"]
    members["data/tweets.js"] = cut[: cut.index('"two"')]
    messages, rejects = read(zipped(tmp_path / "x.zip", members))
    assert [one.text for one in messages] == ["one"]
    assert [one.reason for one in rejects] == [
        "the file is cut off here",
        "the manifest counts 2 tweets, 1 could be read",
    ]


def test_a_file_called_tweets_is_not_always_an_archive(tmp_path: Path) -> None:
    """Formats are found by content."""
    from trainer.sources.registry import find

    assert list(find(written(tmp_path, {"tweets.js": "console.log('hi')"}))) == []


def test_archives_of_every_era_are_read() -> None:
    """In the root or below data/, with and without a wrapper, and a file a month before 2019."""
    for era, ids in {
        "x_2023": ["100", "101", "102", "103", "105", "105", "106", "107", "110", "120", "121"],
        "x_2020": ["1", "2"],
        "x_2019": ["1", "2"],
        "x_grailbird": ["1", "2", "3", "4"],
    }.items():
        only = "X archive of 2018" if era == "x_grailbird" else "X archive"
        messages, rejects = read(FIXTURES / era, only)
        assert sorted(one.message_id for one in messages) == sorted(ids), era
        assert rejects == []


def test_a_month_of_an_old_archive_names_its_author() -> None:
    """There is no account.js; dates are ISO, links are numbers' indices, retweets carry the original."""
    messages, _ = read(FIXTURES / "x_grailbird")
    by_id = {one.message_id: one for one in messages}
    assert (by_id["1"].sender_id, by_id["1"].sender_name, by_id["1"].sender_handle) == ("41", "Ines Quill", "inesquill")
    assert by_id["2"].text == "second http://example.org/a"
    assert by_id["2"].timestamp == 1367748001.0
    assert (by_id["3"].text, by_id["3"].reply_to_id) == ("yes", "9")
    assert by_id["4"].forwarded_from == "@tobias"


def test_what_was_deleted_is_marked() -> None:
    """Its author took it back: no training on it."""
    messages, _ = read(FIXTURES / "x_2023", only="X archive")
    assert [one.message_id for one in messages if one.kind == "deleted"] == ["120"]


def test_a_part_that_the_manifest_lists_and_nobody_has_is_told(tmp_path: Path) -> None:
    """Half an archive must not pass for a whole one."""
    members = archive([[tweet(1, "one")], [tweet(2, "two")]])
    del members["data/tweets-part1.js"]
    messages, rejects = read(zipped(tmp_path / "x.zip", members))
    assert [one.text for one in messages] == ["one"]
    assert [one.reason for one in rejects] == ["the manifest lists 1 tweets here, but the file is missing"]


def test_names_of_files_do_not_matter(tmp_path: Path) -> None:
    """A browser's `tweets (1).js` is read; whose it is, nobody says."""
    messages, _ = read(
        written(tmp_path, {"tweets (1).js": "window.YTD.tweets.part0 = " + json.dumps([tweet(1, "hi")])})
    )
    assert [(one.text, one.sender_name, one.is_self) for one in messages] == [("hi", "Me", True)]


LONG = (
    "I keep saying this about sourdough and nobody listens, but the flour matters far less than the time you give it. "
    * 4
)


@pytest.mark.parametrize(
    ("shown", "note", "more"),
    [
        ("{}…", "{}", {}),
        ("@stranger {}…", "{}", {"in_reply_to_status_id_str": "55", "in_reply_to_screen_name": "stranger"}),
        ("@stranger {}…", "@stranger {}", {"in_reply_to_status_id_str": "55", "in_reply_to_screen_name": "stranger"}),
        ("{}… https://t.co/x2", "{}", {}),
        (
            "{}… https://t.co/q1",
            "{}",
            {"entities": {"urls": [{"url": "https://t.co/q1", "expanded_url": "https://x.com/o/status/7"}]}},
        ),
        (
            "link https://t.co/a {}…",
            "link https://t.co/b {}",
            {"entities": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://e.org"}]}},
        ),
        ("R&amp;D {}…", "R&amp;D {}", {}),
        ("R&amp;D {}…", "R&D {}", {}),
        ("lines:\n\n{}…", "lines:\n\n{}", {}),
    ],
)
@pytest.mark.parametrize("second", [0, 1])
def test_a_long_post_is_whole_whatever_stands_around_it(
    tmp_path: Path, shown: str, note: str, more: dict[str, Any], second: int
) -> None:
    """Handles, links and entities differ between a tweet and its note, and so may their seconds."""
    rows = [
        {"noteTweet": {"createdAt": f"2014-05-05T10:00:0{second}.000Z", "core": {"text": note.format(LONG.strip())}}}
    ]
    members = archive([[tweet(1, shown.format(LONG[:250].strip()), **more)]], **{"note-tweet": rows})  # type: ignore[arg-type]
    (message,), _ = read(zipped(tmp_path / "x.zip", members))
    assert message.text.endswith(LONG.strip())
    assert "&amp;" not in message.text
    assert len(message.text) == len(note.format(LONG.strip()).replace("&amp;", "&").removeprefix("@stranger "))


def test_tweets_of_a_circle_are_private(tmp_path: Path) -> None:
    """They stand among the public ones too."""
    for key in ("tweet", "twitterCircleTweet"):
        circle = "window.YTD.twitter_circle_tweet.part0 = " + json.dumps([{key: tweet(2, "only my circle")}])
        members = archive([[tweet(1, "for all"), tweet(2, "only my circle")]]) | {
            "data/twitter-circle-tweet.js": circle
        }
        messages, _ = read(zipped(tmp_path / f"{key}.zip", members))
        assert {(one.text, one.conversation_type) for one in messages} == {
            ("for all", "feed"),
            ("only my circle", "dm"),
        }
