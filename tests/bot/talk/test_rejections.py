"""Why a draft must not be said."""

from bot.talk.rejections import rejection_reason


def test_what_stands_against_a_draft() -> None:
    """Nothing to say, or nothing new in any of its lines."""
    assert rejection_reason([], []) == "empty"
    assert rejection_reason(["ok"], ["OK."]) == "repeated"
    assert rejection_reason(["ok", "and then?"], ["ok"]) == ""
    assert rejection_reason(["ok", "sure"], ["sure", "ok"]) == "repeated"
