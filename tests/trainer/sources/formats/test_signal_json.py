"""signal-export's JSON, which repeats its Markdown."""

import shutil
from pathlib import Path

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "signal_json"
MARKDOWN = (
    "[2023-05-06 10:00:00] Alder: who has the map  \n(- Me: 👍 -)\n\n"
    "[2023-05-06 10:01:00] Me: \n\n> who has the map\n\nnot me  \n\n"
    "[2023-05-06 10:02:00] Birch:   \n(( 🥾 ))![map.png](./media/map.png)  \n\n"
    "[2023-05-06 10:03:00] Birch: (This message was deleted)\n\n"
)


def test_an_object_a_line() -> None:
    """Quotations of messages that are there, reactions, stickers, files, deletions."""
    messages, rejects = read(HERE)
    assert [(one.sender_name, one.text, one.attachments, one.kind) for one in messages] == [
        ("Alder", "who has the map", (), "message"),
        ("Me", "not me", (), "message"),
        ("Birch", "", ("sticker 🥾", "photo"), "message"),
        ("Birch", "(This message was deleted)", (), "unsupported"),
    ]
    assert messages[0].reactions == (("👍", "Me"),)
    assert (messages[1].reply_to_id, messages[1].quoted_text) == (messages[0].message_id, "")
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("Hill Walkers", "group")}
    assert rejects == []


def test_the_markdown_beside_it_has_the_same_ids(tmp_path: Path) -> None:
    """So a folder with both is imported once."""
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "Hill Walkers" / "chat.md").write_text(MARKDOWN, encoding="utf-8")
    messages, rejects = read(tmp_path)
    assert len(messages) == 8
    assert len({one.message_id for one in messages}) == 4
    assert rejects == []
