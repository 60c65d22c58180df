"""What /remember answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import BotStore, Note
from bot.talk.noting import LISTED_CHARACTERS, MAX_CHARACTERS, MAX_NOTES, listed, note_words, refusal, remembered


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BotStore]:
    opened = await BotStore.open("sqlite:///store.db", tmp_path)
    yield opened
    await opened.close()


async def test_a_note_is_kept_listed_and_taken_back(store: BotStore) -> None:
    """With nothing it lists; `forget N` takes back."""
    assert await remembered(store, "  ") == "There are no notes yet."
    assert (await remembered(store, "I moved to\nGraz  in May")).startswith("Remembered as note 1.")
    assert (await remembered(store, "")).startswith("1: I moved to Graz in May (")
    assert await remembered(store, "forget 7") == "There is no note 7."
    assert await remembered(store, "Forget #1") == "Note 1 is forgotten."
    assert (await remembered(store, "forget me not")).startswith("Remembered as note")


def test_what_is_too_long_or_too_much_is_a_sentence() -> None:
    """Nothing is cut in silence."""
    assert not refusal("a" * MAX_CHARACTERS, MAX_NOTES - 1)
    assert "at most 300 characters long, and this has 301" in refusal("a" * (MAX_CHARACTERS + 1), 0)
    assert "take some back first" in refusal("a", MAX_NOTES)


def test_a_long_list_says_how_many_are_left() -> None:
    """A message has its limits; a terminal has none."""
    notes = [Note(number, f"{'word ' * 20}{number}", 0.0) for number in range(100)]
    shown = listed(notes)
    assert len(shown) < LISTED_CHARACTERS + 40
    assert shown.endswith(f"… and {100 - shown.count('(1970-01-01)')} older ones")
    assert listed(notes, None).count("(1970-01-01)") == 100


def test_a_note_is_one_line_without_controls() -> None:
    """As a turn may hold it."""
    assert note_words("a\x00b\n\n c\u2028d") == "ab c d"
