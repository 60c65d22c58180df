"""Held out: enough of every speaker, capped, and for ever."""

from collections import Counter

from persona.transcript import Conversation, Turn
from trainer.corpus.segmentation import ConversationRecord
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN, assign_splits


def record(number: int, *speakers: str) -> ConversationRecord:
    import hashlib

    turns = tuple(Turn(speaker, ("hi",)) for speaker in speakers)
    return ConversationRecord(
        hashlib.sha256(str(number).encode()).hexdigest()[:16], Conversation("group", turns), (None,) * len(turns), "x"
    )


def test_each_judge_gets_a_tenth_of_each_speaker() -> None:
    """Also of one who lives in a corner of the corpus."""
    found = [record(number, "MARA", "BOB") for number in range(300)] + [
        record(1000 + number, "EVE") for number in range(40)
    ]
    parts = assign_splits(found, {"MARA", "BOB", "EVE"}, {})
    held = Counter((parts[one.id], turn.speaker) for one in found for turn in one.conversation.turns)
    for split in (CALIBRATION_SPLIT, TEST_SPLIT):
        assert 30 <= held[split, "MARA"] <= 34
        assert 4 <= held[split, "EVE"] <= 6


def test_held_out_once_is_held_out_for_ever() -> None:
    """However the corpus grows, and although no more than 500 messages are held out."""
    few = [record(number, "MARA") for number in range(200)]
    many = few + [record(number, "MARA") for number in range(200, 9000)]
    before = assign_splits(few, {"MARA"}, {})
    after = assign_splits(many, {"MARA"}, before)
    assert all(after[name] == part for name, part in before.items() if part != TRAIN)
    assert Counter(after.values())[CALIBRATION_SPLIT] == 500


def test_a_stretch_too_large_to_spare_is_not_held_out() -> None:
    """Two long conversations are all there is: they are trained on."""
    found = [record(1, *["MARA", "BOB"] * 50), record(2, *["MARA", "BOB"] * 50)]
    assert set(assign_splits(found, {"MARA"}, {}).values()) == {TRAIN}
