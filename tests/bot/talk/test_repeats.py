"""Whether a text says again what was said before."""

import pytest

from bot.talk.rejections import rejection_reason
from bot.talk.repeats import NEAR, repeats


@pytest.mark.parametrize(
    ("text", "earlier", "same", "near"),
    [
        ("No!", "no", True, True),
        ("no", "not", False, False),
        ("😀", "😀", True, True),
        ("😀", "😃", False, False),
        ("?!", "...", False, False),
        ("the canal froze again last night", "the canal froze again last night :)", True, True),
        ("the canal froze again last night", "the canal froze again last week", False, True),
        ("the canal froze again last night", "we sold the last lamp last night", False, False),
        ("", "", True, True),
    ],
)
def test_what_repeats_what(text: str, earlier: str, same: bool, near: bool) -> None:
    """Case, punctuation and blanks don't make it new; for tweets another ending doesn't either."""
    assert repeats(text, [earlier]) is same
    assert repeats(text, [earlier], near=NEAR) is near
    assert not repeats(text, [])


def test_what_stands_against_a_draft() -> None:
    """Nothing to say, or nothing new in any of its lines."""
    assert rejection_reason([], []) == "empty"
    assert rejection_reason(["ok"], ["OK."]) == "repeated"
    assert rejection_reason(["ok", "and then?"], ["ok"]) == ""
    assert rejection_reason(["ok", "sure"], ["sure", "ok"]) == "repeated"
