"""Reddit's data request: comments, posts, messages and chats of one account."""

from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read, written


def test_comments_and_posts_are_a_feed_with_their_parents() -> None:
    """A comment answers its parent, or the post; parents come with and without their prefix."""
    messages, rejects = read(FIXTURES / "reddit")
    feed = [
        (one.message_id, one.reply_to_id, one.kind, one.text) for one in messages if one.conversation_type == "feed"
    ]
    assert feed == [
        ("t1_aaa1", "t3_ppp1", "message", 'top level, with "quotes"\nand two lines'),
        ("t1_aaa2", "t1_zzz9", "message", "chips > gulls"),
        ("t1_aaa3", "t1_aaa2", "deleted", "[deleted]"),
        ("t3_ppp2", "", "message", "The 7:40\nis late again"),
    ]
    assert {one.sender_name for one in messages if one.conversation_type == "feed"} == {"ines_quill"}
    assert messages[1].timestamp == 1551675967.0
    assert [(one.offset, one.raw) for one in rejects] == [(591, "aaa4,too,few\n")]


def test_messages_and_chats_are_private() -> None:
    """With both sides, as far as the export has them."""
    messages, _ = read(FIXTURES / "reddit")
    private = [one for one in messages if one.conversation_type == "dm"]
    assert [(one.conversation_id, one.sender_name, one.is_self, one.text) for one in private] == [
        ("!room1", "ines_quill", True, "hey"),
        ("mmm1", "ines_quill", True, "are you the gull person"),
        ("mmm1", "tobias_m", False, "i am"),
    ]


def test_an_account_without_a_name_is_me(tmp_path: Path) -> None:
    """statistics.csv may be missing."""
    text = (FIXTURES / "reddit" / "posts.csv").read_text(encoding="utf-8")
    messages, _ = read(written(tmp_path, {"posts.csv": text}))
    assert [(one.sender_name, one.is_self) for one in messages] == [("Me", True)]
