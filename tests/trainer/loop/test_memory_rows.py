"""Rows in which something came to mind: a third of the replies, each once, with earlier talk of other conversations."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from persona.archive.index import FILE, Archive
from persona.config import Settings
from persona.encoding import Encoding
from persona.transcript import Conversation, Excerpt, Turn
from tests import tokenizers
from trainer.corpus.archiving import write_archive
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus
from trainer.loop.batches import windows_of
from trainer.loop.memory_rows import MemoryRows, memory_rows

ENCODING = Encoding(*tokenizers.byte_level_bpe())
SETTINGS = Settings.model_validate({"persona": {"name": "Mara"}})
ME = frozenset({"MARA"})
WORDS = [f"tree{number}" for number in range(50)]


def record(number: int, *, dated: bool = True) -> ConversationRecord:
    """A talk about two trees, of which others spoke as well."""
    about, other = WORDS[number % len(WORDS)], WORDS[(number * 7 + 3) % len(WORDS)]
    said = [f"the {about} of {number}", f"no {number}, {about}", f"a {other} then", f"fine {number}"]
    turns = tuple(Turn("MARA" if place % 2 else "BOB", (line,)) for place, line in enumerate(said))
    times = tuple(1e9 + 1000.0 * number + place if dated else None for place in range(4))
    return ConversationRecord(f"{number}", Conversation("group", turns, 2001), times, "telegram")


def rows_of(folder: Path, records: Sequence[ConversationRecord], max_length: int = 4096) -> MemoryRows:
    folder.mkdir(exist_ok=True)
    corpus = Corpus(conversations=records, splits={record.id: "train" for record in records})
    write_archive(SETTINGS, corpus, folder / "private" / FILE)
    archive = Archive.open(folder / "private" / FILE)
    return memory_rows(records, ME, archive, ENCODING, max_length, "MARA")


@pytest.mark.parametrize("dated", [True, False])
def test_what_comes_to_mind_was_said_earlier_and_elsewhere(tmp_path: Path, dated: bool) -> None:
    """Never what comes after, and nothing of the same talk: else the reply could be read there."""
    records = [record(number, dated=dated) for number in range(200)]
    rows = rows_of(tmp_path, records)
    assert len(rows.windows) > 30
    for window in rows.windows:
        conversation = ENCODING.read(window.ids)
        number = int(conversation.turns[-1].text.split()[1].strip(","))
        assert 1 <= len(conversation.memories) <= 3
        for memory in conversation.memories:
            assert int(memory.turns[1].text.split()[1].strip(",")) < number


def test_a_quarter_of_the_replies_are_rows_of_their_own(tmp_path: Path) -> None:
    """A third is drawn, one in four of it has no memories and stays where it was; always the same ones."""
    records = [record(number) for number in range(400)]
    rows = rows_of(tmp_path, records)
    assert 0.17 < len(rows.windows) / 800 < 0.27
    assert sum(map(len, rows.replies.values())) == len(rows.windows)
    assert rows_of(tmp_path / "again", records) == rows


def test_each_reply_carries_loss_once_and_memories_never(tmp_path: Path) -> None:
    """In its row, or in the pass over its conversation."""
    records = [record(number) for number in range(120)]
    rows = rows_of(tmp_path, records)
    conversations = [record.conversation for record in records]
    elsewhere = [rows.replies.get(record.id, ()) for record in records]
    passes = windows_of(ENCODING, conversations, ME, 4096, elsewhere)

    def said(windows: Sequence[object]) -> list[str]:
        return [
            text
            for window in windows
            for text in ENCODING.tokenizer.decode(
                [i for i, has_loss in zip(window.ids, window.loss_mask, strict=True) if has_loss],  # type: ignore[attr-defined]
                skip_special_tokens=False,
            ).split("<|endoftext|>")
            if text
        ]

    everything = [turn.text for talk in conversations for turn in talk.turns if turn.speaker == "MARA"]
    assert sorted([*said(passes), *said(rows.windows)]) == sorted(everything)
    for window in rows.windows:
        assert said([window]) == [ENCODING.read(window.ids).turns[-1].text]
        assert not any(window.header_mask)
        assert window.characters == len(ENCODING.read(window.ids).turns[-1].text) + 1


def test_some_of_it_has_nothing_to_do_with_the_talk(tmp_path: Path) -> None:
    """One memory in three."""
    rows = rows_of(tmp_path, [record(number) for number in range(400)])
    kinds: list[bool] = []
    for window in rows.windows:
        conversation = ENCODING.read(window.ids)
        context = {word for turn in conversation.turns[:-1] for word in turn.text.split()} & {*WORDS}
        kinds += [bool(context & _words(memory)) for memory in conversation.memories]
    assert 0.15 < 1 - sum(kinds) / len(kinds) < 0.4


def _words(memory: Excerpt) -> set[str]:
    return {word.strip(",") for turn in memory.turns for word in turn.text.split()}


def test_rows_fit(tmp_path: Path) -> None:
    """The oldest turns go first; memories take a quarter at most."""
    rows = rows_of(tmp_path, [record(number) for number in range(200)], max_length=400)
    assert rows.windows
    for window in rows.windows:
        assert len(window.ids) <= 400
        assert ENCODING.memory_length(ENCODING.read(window.ids).memories) <= 100
