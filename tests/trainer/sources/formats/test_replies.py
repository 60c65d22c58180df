"""replies.jsonl: parents that only the user can fetch."""

from pathlib import Path

from tests.trainer.sources.reading import read


def test_a_line_is_a_post_and_an_empty_one_waits(tmp_path: Path) -> None:
    """With a name and a date where they are given; ids may be numbers; what can't be read is kept for the user."""
    path = tmp_path / "fetched.txt"
    path.write_text(
        '\ufeff{"id": "12", "author": "@zq", "text": "cats are\\nliquid"}\n\n'
        '{"id": 13, "author": "zq", "text": "", "platform": "x", "url": "https://x.com/i/status/13"}\n'
        '{"id": "https://m.example/1", "author": "pim", "name": "Pim", "author_id": "7", "text": "hm", '
        '"platform": "mastodon", "created_at": "2021-03-04T05:06:07Z", "reply_to": "12"}\n'
        '{"id": "14", "author": "zq"}\nnot json\n{"id": "15", "author": "zq", "text": "cut',
        encoding="utf-8",
    )
    messages, rejects = read(path)
    assert [(one.platform, one.message_id, one.sender_name, one.sender_handle, one.text) for one in messages] == [
        ("x", "12", "zq", "zq", "cats are\nliquid"),
        ("mastodon", "https://m.example/1", "Pim", "pim", "hm"),
    ]
    assert messages[1].timestamp == 1614834367
    assert messages[1].reply_to_id == "12"
    assert [reject.raw for reject in rejects] == [
        '{"id": "14", "author": "zq"}',
        "not json",
        '{"id": "15", "author": "zq", "text": "cut',
    ]
    assert [path.read_bytes()[one.offset :][: len(one.raw)].decode() for one in rejects] == [one.raw for one in rejects]
