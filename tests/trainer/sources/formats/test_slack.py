"""Slack's workspace export."""

import json
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read, written

HERE = FIXTURES / "slack"


def test_a_workspace_knows_its_people_and_channels() -> None:
    """Display names, threads, markup, bots, files, private conversations."""
    messages, rejects = read(HERE)
    by_id = {one.message_id: one for one in messages}
    answer = by_id["1614902402.000200"]
    assert answer.text == "@ada see https://example.com/a?b=1&c=2 <3 @here in #general"
    assert (answer.sender_id, answer.sender_name, answer.sender_handle) == ("U0BO", "Bo Reed", "bo")
    assert (answer.reply_to_id, answer.mentions) == ("1614902401.000100", (("U0ADA", "ada"),))
    assert by_id["1614902401.000100"].reply_to_id == ""
    assert {one.conversation_id: one.conversation_type for one in messages} == {
        "C0GEN": "group",
        "D0DM": "dm",
        "G0MP": "group",
    }
    assert {one.conversation_id for one in messages if one.is_group_dm} == {"G0MP"}
    files = by_id["1614800002.000000"]
    assert (files.sender_name, files.attachments, files.edited_at) == ("Zoe P", ("photo", "file"), 1614800005.0)
    assert by_id["1614800001.000000"].is_bot
    assert {one.message_id: one.kind for one in messages if one.kind != "message"} == {
        "1614800000.000000": "service",
        "1614800003.000000": "service",
        "1614800004.000000": "call",
    }
    assert rejects == []


def test_words_that_stand_in_blocks_alone_are_read(tmp_path: Path) -> None:
    """What an app posts may have no text of its own."""
    words = [{"type": "text", "text": "up, "}, {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "wave"}]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}]
    row = {"type": "message", "ts": "1614800100.000000", "user": "U2", "text": "", "blocks": blocks}
    (tmp_path / "d.json").write_text(json.dumps([row]))
    (message,), rejects = read(tmp_path / "d.json")
    assert message.text == "up, @someone:wave:"
    assert rejects == []


def test_a_day_alone_is_read_too(tmp_path: Path) -> None:
    """Without names, by ids."""
    text = (HERE / "D0DM/2021-03-04.json").read_text()
    (message,), rejects = read(written(tmp_path, {"2021-03-04.json": text}) / "2021-03-04.json")
    assert (message.sender_id, message.sender_name, message.text) == ("U0BO", "", "psst")
    assert rejects == []


def day(tmp_path: Path, *rows: dict[str, object], folder: str = "general") -> Path:
    users = [{"id": "U1", "name": "ana", "profile": {"display_name": "Ana"}}, {"id": "U2", "name": "bo"}]
    body = [
        {"type": "message", "ts": f"177235920{number}.000100", "user": "U1", **row} for number, row in enumerate(rows)
    ]
    files = {"users.json": json.dumps(users), f"{folder}/2026-03-01.json": json.dumps(body)}
    return written(tmp_path / "export", files)


def test_lists_and_quotes_of_rich_text_are_apart(tmp_path: Path) -> None:
    """An item a line; a quotation is somebody else's words."""

    def text(words: str) -> dict[str, object]:
        return {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}

    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "hi"}]}
    items = {"type": "rich_text_list", "elements": [text("flour"), text("salt")]}
    blocks = [{"type": "rich_text", "elements": [text("two things"), items, quote]}]
    (message,), _ = read(day(tmp_path, {"text": "", "blocks": blocks}))
    assert (message.text, message.quoted_text) == ("two things\nflour\nsalt", "hi")


def test_elements_without_a_text_are_shown_as_people_see_them(tmp_path: Path) -> None:
    """Dates, groups of people and colours, in blocks and in markup."""
    elements = [
        {"type": "date", "timestamp": 1700000000, "format": "{date}", "fallback": "14 Nov"},
        {"type": "text", "text": " "},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "text", "text": " "},
        {"type": "color", "value": "#ff0000"},
    ]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]
    marked = "<!date^1700000000^{date}|14 Nov> <!subteam^S1|@bakers>"
    (block, text), _ = read(day(tmp_path, {"text": "", "blocks": blocks}, {"text": marked}))
    assert (block.text, text.text) == ("14 Nov @group #ff0000", "14 Nov @bakers")


def test_addresses_and_numbers_are_said_once(tmp_path: Path) -> None:
    """A label says all that a mailto: or a tel: does."""
    (message,), _ = read(day(tmp_path, {"text": "<mailto:a@example.org|a@example.org> <tel:+31612345678|call me>"}))
    assert message.text == "a@example.org call me"


def test_shared_messages_are_quotations_or_forwards(tmp_path: Path) -> None:
    """Beside words of one's own they are quoted; alone they are somebody else's."""
    shared = [{"is_msg_unfurl": True, "author_id": "U2", "text": "words of bo"}]
    (alone, beside), _ = read(
        day(tmp_path, {"text": "", "attachments": shared}, {"text": "look", "attachments": shared})
    )
    assert (alone.text, alone.forwarded_from) == ("words of bo", "bo")
    assert (beside.text, beside.quoted_text, beside.forwarded_from) == ("look", "words of bo", "")


def test_an_upload_is_a_file_and_the_words_about_it(tmp_path: Path) -> None:
    """What Slack itself says of it is nobody's words."""
    file = [{"name": "a.png", "mimetype": "image/png"}]
    up = "<@U1|ana> uploaded a file: <https://files.example.org/a|a.png>"
    rows: list[dict[str, object]] = [
        {"subtype": "file_share", "text": up, "files": file},
        {"subtype": "file_share", "text": f"{up} and commented: my bread", "files": file},
        {
            "subtype": "file_comment",
            "text": "<@U1|ana> commented on <@U2|bo>\u2019s file <https://x.org/a|a.png>: so nice",
        },
        {"files": [{"name": "x.webm", "mimetype": "audio/webm", "subtype": "slack_audio"}], "text": ""},
    ]
    messages, _ = read(day(tmp_path, *rows))
    assert [(one.text, one.attachments) for one in messages] == [
        ("", ("photo",)),
        ("my bread", ("photo",)),
        ("so nice", ()),
        ("", ("voice",)),
    ]


def test_reactions_have_names(tmp_path: Path) -> None:
    """Of those that are known, else ids."""
    (message,), _ = read(
        day(tmp_path, {"text": "bread", "reactions": [{"name": "wave", "users": ["U2", "U9"], "count": 2}]})
    )
    assert message.reactions == ((":wave:", "U2", "bo"), (":wave:", "U9", ""))


def test_a_private_conversation_is_private_even_if_no_list_names_it(tmp_path: Path) -> None:
    """Its folder is called by its id; a group DM's by its people."""
    (message,), _ = read(day(tmp_path, {"text": "psst"}, folder="D0123ABCD"))
    assert message.conversation_type == "dm"
    (message,), _ = read(day(tmp_path / "b", {"text": "psst"}, folder="mpdm-ana--bo--cy-1"))
    assert (message.conversation_type, message.is_group_dm) == ("group", True)


def test_an_unknown_key_of_an_empty_message_is_told(tmp_path: Path) -> None:
    """What Slack adds next year doesn't vanish in silence; what is merely empty does."""
    _, rejects = read(
        day(tmp_path, {"text": "", "canvas": {"id": "1"}}, {"text": None}, {"text": "x", "canvas": {"id": "1"}})
    )
    assert [reject.reason for reject in rejects] == ["a message without text, but with 'canvas': not read"]
