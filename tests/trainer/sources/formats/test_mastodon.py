"""Mastodon's outbox: HTML, visibility, boosts; in a folder and in a tar."""

import json
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read


@pytest.mark.parametrize("where", ["folder", "archive-20221107.tar.gz"])
def test_posts_are_plain_text_and_what_was_not_public_is_private(where: str) -> None:
    """`to` and `cc` tell who may see a post: public and unlisted ones are a feed, all others count as private."""
    messages, rejects = read(FIXTURES / "mastodon" / where)
    assert [(one.conversation_type, one.text) for one in messages] == [
        ("feed", "gulls & chips\na #love story\n\nthe end"),
        ("feed", "unlisted thought"),
        ("dm", "for followers"),
        ("dm", "@tobias just between us"),
        ("feed", "cw: gulls\nin public"),
        ("feed", ""),
    ]
    assert messages[0].attachments == ("photo",)
    assert messages[3].mentions == (("https://other.example/users/tobias", "@tobias@other.example"),)
    assert messages[4].reply_to_id == "https://other.example/users/tobias/statuses/7"
    assert messages[5].forwarded_from == "somebody"
    assert {(one.sender_name, one.sender_handle) for one in messages} == {("Ines Quill", "ines")}
    assert messages[0].timestamp == 1667383200.0
    assert rejects == []


@pytest.mark.parametrize("tag", ["p", "span"])
def test_the_address_of_a_quoted_post_is_the_servers_word(tmp_path: Path, tag: str) -> None:
    """It stands before one's own."""
    link = f'<{tag} class="quote-inline">RE: <a href="https://x.example/2">https://x.example/2</a></{tag}>'
    public = ["https://www.w3.org/ns/activitystreams#Public"]
    note = {
        "id": "1",
        "type": "Note",
        "to": public,
        "content": f"{link}<p>agreed</p>",
        "published": "2025-11-01T10:00:00Z",
    }
    outbox = {
        "id": "outbox.json",
        "type": "OrderedCollection",
        "@context": "https://www.w3.org/ns/activitystreams",
        "orderedItems": [{"type": "Create", "to": public, "published": note["published"], "object": note}],
    }
    (tmp_path / "outbox.json").write_text(json.dumps(outbox), encoding="utf-8")
    messages, _ = read(tmp_path)
    assert [one.text for one in messages] == ["agreed"]
