"""Channels as `slackdump dump` writes them."""

from tests.trainer.sources.reading import FIXTURES, read


def test_a_dump_is_read_with_its_threads_and_people() -> None:
    """Replies stand inside their parents; names beside the channels; a D is a private conversation."""
    messages, rejects = read(FIXTURES / "slackdump", only="slackdump")
    assert [(one.conversation_id, one.conversation_type, one.sender_name, one.text) for one in messages] == [
        ("C0GEN", "group", "Ada", "who has the *ladder*"),
        ("C0GEN", "group", "Bo Reed", "@Ada me, since May"),
        ("C0GEN", "group", "", "keep it"),
        ("D0BOADA", "dm", "Bo Reed", "psst"),
    ]
    assert messages[1].reply_to_id == "1614902401.000100"
    assert (messages[2].sender_id, messages[2].conversation_name) == ("U0ZOE", "general")
    assert rejects == []
