"""Which formats there are, and what the importer makes of what a reader yields."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.sources.files.tree import FileTree, Tree
from trainer.sources.message import Message, Reject
from trainer.sources.registry import Export
from trainer.sources.source import Source


def yielded(tmp_path: Path, **fields: Any) -> list[Message | Reject]:
    """What comes of one message of a reader whose fields are these."""
    path = tmp_path / "x.txt"
    path.write_text("x")
    basis = {"platform": "x", "conversation_id": "1", "conversation_type": "group", "message_id": "1"}
    message = Message(**{**basis, "sender_id": "", "sender_name": "Ana", "text": "hi", **fields})

    def read(_: Tree, members: Sequence[str]) -> Iterator[Message | Reject]:
        yield message

    return list(Export(Source("x", lambda tree, names: [], read), FileTree(path), ("x.txt",)).read(lambda _: None))


def test_an_unknown_type_of_conversation_is_rejected(tmp_path: Path) -> None:
    """It is not taken for a group: nobody knows whether it is private."""
    (reject,) = yielded(tmp_path, conversation_type="private")
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown conversation type 'private', so nobody knows whether it is private"
    assert (reject.raw, reject.file) == ("hi", "x.txt")


def test_an_unknown_kind_of_message_is_rejected(tmp_path: Path) -> None:
    """Nobody knows whether somebody said it."""
    (reject,) = yielded(tmp_path, kind="poll")
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown kind of message 'poll'"


def test_reactions_are_pairs_of_emoji_and_name(tmp_path: Path) -> None:
    """By default there are none."""
    (plain,) = yielded(tmp_path)
    assert isinstance(plain, Message)
    assert plain.reactions == ()
    (liked,) = yielded(tmp_path, reactions=(("👍", "Bo"),))
    assert isinstance(liked, Message)
    assert liked.reactions == (("👍", "Bo"),)
