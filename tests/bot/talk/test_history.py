"""What was said, as turns for a prompt."""

from itertools import pairwise

import pytest

from bot.store import HistoryMessage
from bot.talk.history import in_one_go, turns_of
from persona.transcript import Turn


def said(number: int, author: str, *lines: str, at: float = 0.0) -> HistoryMessage:
    return HistoryMessage(str(number), author, author.upper(), lines, at)


def test_what_one_person_said_in_a_row_is_one_turn() -> None:
    """The last turns; what stands for no words is left out."""
    heard = [said(1, "ann", "old"), said(2, "bob", "a"), said(3, "bob", "b"), said(4, "ann"), said(5, "ann", "c")]
    assert turns_of(heard, 1, 99) == (Turn("ANN", ("c",)),)
    assert turns_of(heard, 2, 99) == (Turn("ANN", ("old",)), Turn("BOB", ("a", "b")), Turn("ANN", ("c",)))


def test_the_window_on_a_long_talk_moves_on_in_leaps() -> None:
    """So that most prompts begin as the one before; it never holds fewer turns than are wanted, nor half as many more."""
    talk = [said(number, "ann" if number % 2 else "bob", f"line {number}") for number in range(400)]
    windows = [turns_of(talk[:end], 20, 99) for end in range(40, 400)]
    assert {len(window) for window in windows} <= set(range(20, 31))
    assert all(window[-1].lines == (f"line {end - 1}",) for end, window in zip(range(40, 400), windows, strict=True))
    stays = sum(after[0] == before[0] for before, after in pairwise(windows))
    assert stays > 0.7 * len(windows)


def test_of_a_turn_that_does_not_fit_the_end_is_kept() -> None:
    """A message longer than the prompt must not leave the prompt empty."""
    (turn,) = turns_of([said(1, "ann", "x" * 500, "the question?")], 5, 10)
    assert turn.lines == ("the question?",)
    (turn,) = turns_of([said(1, "ann", "x" * 50 + " and this?")], 5, 5)
    assert turn.lines == ("and this?",)


@pytest.mark.parametrize(
    ("others", "ids"),
    [
        ([], []),
        ([("ann", 1.0)], [1]),
        ([("ann", 3.0)], []),
        ([("bob", 0.5), ("ann", 1.0), ("ann", 2.9), ("ann", 5.0)], [1, 2, 3]),
        ([("bob", 0.5)], []),
    ],
)
def test_who_goes_on_at_once_is_heard_out(others: list[tuple[str, float]], ids: list[int]) -> None:
    """Each message within the patience of the one before; what others said in between is heard too."""
    following = [said(number, author, "…", at=at) for number, (author, at) in enumerate(others, start=1)]
    assert [int(one.message_id) for one in in_one_go(said(0, "ann", "hey"), following, 2.0)] == ids
