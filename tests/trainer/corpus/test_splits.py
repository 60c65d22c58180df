"""Held out: enough of every speaker, capped, and for ever."""

from collections import Counter

from persona.transcript import Conversation, Turn
from trainer.corpus.segmentation import Stretch
from trainer.corpus.splits import JUDGE_A, JUDGE_B, TRAIN, split


def stretch(number: int, *speakers: str) -> Stretch:
    import hashlib

    turns = tuple(Turn(speaker, ("hi",)) for speaker in speakers)
    return Stretch(
        hashlib.sha256(str(number).encode()).hexdigest()[:16], Conversation("group", turns), (None,) * len(turns), "x"
    )


def test_each_judge_gets_a_tenth_of_each_speaker() -> None:
    """Also of one who lives in a corner of the corpus."""
    found = [stretch(number, "MARA", "BOB") for number in range(300)] + [
        stretch(1000 + number, "EVE") for number in range(40)
    ]
    parts = split(found, {"MARA", "BOB", "EVE"}, {})
    held = Counter((parts[one.id], turn.speaker) for one in found for turn in one.conversation.turns)
    for judge in (JUDGE_A, JUDGE_B):
        assert 30 <= held[judge, "MARA"] <= 34
        assert 4 <= held[judge, "EVE"] <= 6


def test_held_out_once_is_held_out_for_ever() -> None:
    """However the corpus grows, and although no more than 500 messages are held out."""
    few = [stretch(number, "MARA") for number in range(200)]
    many = few + [stretch(number, "MARA") for number in range(200, 9000)]
    before = split(few, {"MARA"}, {})
    after = split(many, {"MARA"}, before)
    assert all(after[name] == part for name, part in before.items() if part != TRAIN)
    assert Counter(after.values())[JUDGE_A] == 500


def test_a_stretch_too_large_to_spare_is_not_held_out() -> None:
    """Two long conversations are all there is: they are trained on."""
    found = [stretch(1, *["MARA", "BOB"] * 50), stretch(2, *["MARA", "BOB"] * 50)]
    assert set(split(found, {"MARA"}, {}).values()) == {TRAIN}
