"""Held out: enough of every speaker, capped, and for ever."""

from collections import Counter

from msgspec.structs import replace

from persona.transcript import Conversation, Turn
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN, assign_splits


def record(number: int, *speakers: str) -> ConversationRecord:
    import hashlib

    turns = tuple(Turn(speaker, (f"hi {number} {place}",)) for place, speaker in enumerate(speakers))
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


def test_a_conversation_too_large_to_spare_is_not_held_out() -> None:
    """Two long conversations are all there is: they are trained on."""
    found = [record(1, *["MARA", "BOB"] * 50), record(2, *["MARA", "BOB"] * 50)]
    assert set(assign_splits(found, {"MARA"}, {}).values()) == {TRAIN}


def copy(original: ConversationRecord, name: str, *more: str) -> ConversationRecord:
    """The same talk from another export: another id, other capitals, and something said later."""
    turns = tuple(
        Turn(turn.speaker, tuple(line.upper() + "!" for line in turn.lines)) for turn in original.conversation.turns
    )
    turns += tuple(Turn("BOB", (line,)) for line in more)
    return ConversationRecord(name, Conversation("group", turns), (None,) * len(turns), "y")


def lengthened(turn: Turn) -> Turn:
    return Turn(turn.speaker, tuple(f"{line} said at some length" for line in turn.lines))


def test_a_copy_falls_on_the_same_side() -> None:
    """Whether it is there from the start, or comes later under another id, or is cut elsewhere."""
    found = [record(number, *["MARA", "BOB"] * 3) for number in range(200)]
    long = [
        replace(one, conversation=Conversation("group", tuple(map(lengthened, one.conversation.turns))))
        for one in found
    ]
    copies = [
        copy(one, f"copy{place}", *["and that was all there was"] * (place % 2)) for place, one in enumerate(long)
    ]
    at_once = assign_splits([*copies, *long], {"MARA", "BOB"}, {})
    assert Counter(at_once.values()).keys() == {TRAIN, CALIBRATION_SPLIT, TEST_SPLIT}
    assert all(at_once[one.id] == at_once[f"copy{place}"] for place, one in enumerate(long))
    before = assign_splits(long, {"MARA", "BOB"}, {})
    later = assign_splits([*copies, *long], {"MARA", "BOB"}, before)
    assert all(later[name] == split for name, split in before.items() if split != TRAIN)
    assert all(later[one.id] == later[f"copy{place}"] for place, one in enumerate(long))


def test_the_split_is_by_content() -> None:
    """A group that is imported anew under another name keeps what was held out of it."""
    found = [record(number, *["MARA", "BOB"] * 3) for number in range(200)]
    renamed = [copy(one, f"copy{place}") for place, one in enumerate(found)]
    before, after = (assign_splits(some, {"MARA", "BOB"}, {}) for some in (found, renamed))
    assert [before[one.id] for one in found] == [after[one.id] for one in renamed]


def test_long_and_short_conversations_are_held_out_alike() -> None:
    """Each split holds chats and single tweets as the corpus does: neither judge gets only the one or the other."""
    chats = [
        ConversationRecord(
            f"chat {number}",
            Conversation(
                "group", tuple(Turn("MARA", (f"what chat {number} says in line {place}",)) for place in range(20))
            ),
            (None,) * 20,
            "x",
        )
        for number in range(100)
    ]
    tweets = [
        ConversationRecord(
            f"tweet {number}", Conversation("timeline", (Turn("MARA", (f"what tweet {number} says",)),)), (None,), "x"
        )
        for number in range(1000)
    ]
    splits = assign_splits(chats + tweets, {"MARA"}, {})
    for split in (CALIBRATION_SPLIT, TEST_SPLIT):
        assert 5 <= sum(splits[record.id] == split for record in chats) <= 20
        assert 50 <= sum(splits[record.id] == split for record in tweets) <= 200


def test_a_long_chain_of_copies_is_trained_on_whole() -> None:
    """Talk that repeats itself from conversation to conversation would fill a split by itself."""
    words = [f"a thing that is said again and again, number {number}" for number in range(60)]
    chain = [
        ConversationRecord(
            f"link {number}",
            Conversation("group", (Turn("MARA", (words[number], words[number + 1])),)),
            (None,),
            "x",
        )
        for number in range(59)
    ]
    others = [record(number, "MARA") for number in range(300)]
    splits = assign_splits(chain + others, {"MARA"}, {})
    assert {splits[record.id] for record in chain} == {TRAIN}
    assert Counter(splits[record.id] for record in others)[TEST_SPLIT] >= 40
