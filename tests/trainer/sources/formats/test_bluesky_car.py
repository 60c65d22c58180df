"""Bluesky's repository export, block by block."""

from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read

CAR = FIXTURES / "bluesky" / "repo.car"


def test_posts_get_their_addresses_from_the_tree() -> None:
    """Other records are not messages; keys share their beginnings."""
    messages, rejects = read(CAR)
    did = "did:plc:inesquill1234567890abcd"
    assert [(one.message_id, one.text, one.reply_to_id) for one in messages] == [
        (f"at://{did}/app.bsky.feed.post/3jza", "first light, first gull", ""),
        (f"at://{did}/app.bsky.feed.post/3jzb", "agreed 😀", "at://did:plc:tobias/app.bsky.feed.post/3ja"),
    ]
    assert {(one.sender_id, one.sender_name) for one in messages} == {(did, "Ines Quill")}
    assert messages[0].timestamp == 1688205600.0
    assert messages[1].attachments == ("photo",)
    assert rejects == []


def test_a_cut_repository_gives_all_up_to_the_cut(tmp_path: Path) -> None:
    """And says where it ends."""
    path = tmp_path / "repo.car"
    path.write_bytes(CAR.read_bytes()[:-20])
    messages, rejects = read(path)
    assert [one.text for one in messages] == ["first light, first gull"]
    assert [one.reason for one in rejects] == ["the file is cut off or damaged here"]
