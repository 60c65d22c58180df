"""What a training shows on its way: replies to what was really said to the persona, and tweets only of one who tweets."""

from persona.transcript import Conversation, Turn
from trainer.bundle.training import SAMPLES, evaluation_lines, sample_contexts
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus


def corpus(**counts: int) -> Corpus:
    """So many conversations of each scene, in "a" and in "train"."""
    records, splits = [], {}
    for scene, count in counts.items():
        turns = (Turn("MARA", ("hm",)),) if scene == "timeline" else (Turn("BOB", ("well?",)), Turn("MARA", ("hm",)))
        for number in range(count):
            for split in ("a", "train"):
                name = f"{scene} {number} {split}"
                records.append(ConversationRecord(name, Conversation(scene, turns, 2020), (None,) * len(turns), "x"))
                splits[name] = split
    return Corpus(conversations=records, splits=splits)


def test_they_are_replies_to_held_out_contexts() -> None:
    """Each with what was said before."""
    contexts = sample_contexts(corpus(group=9, dm=2), "MARA")
    assert len(contexts) == SAMPLES
    assert all(context.before and context.conversation_id.endswith(" a") for context in contexts)


def test_a_tweet_is_shown_where_there_is_a_timeline() -> None:
    """One, beside replies; only tweets where there are no replies."""
    assert [context.scene for context in sample_contexts(corpus(timeline=5, group=9), "MARA")].count("timeline") == 1
    assert [context.scene for context in sample_contexts(corpus(timeline=5), "MARA")] == ["timeline"] * SAMPLES
    assert sample_contexts(corpus(group=1), "MARA")[0].scene == "group"


def test_nobody_speaks_first_into_a_group() -> None:
    """A turn that opens a conversation answers nothing, so it isn't shown."""
    opening = ConversationRecord("1", Conversation("group", (Turn("MARA", ("hi",)),), 2020), (None,), "x")
    assert sample_contexts(Corpus(conversations=[opening], splits={"1": "a"}), "MARA") == []


def test_without_held_out_conversations_training_ones_are_answered() -> None:
    """Of a small corpus nothing is held out."""
    record = ConversationRecord(
        "1", Conversation("dm", (Turn("BOB", ("hi?",)), Turn("MARA", ("hi",))), 2020), (None, None), "x"
    )
    assert len(sample_contexts(Corpus(conversations=[record], splits={"1": "train"}), "MARA")) == 1


def test_samples_are_shown_only_where_they_changed() -> None:
    """And beside a figure that rose stands the one that counts."""
    first = evaluation_lines(10, 0.5, float("inf"), ["hm", "ok"], ["", ""])
    assert first == ["step 10: held-out 0.500 bits per character; it says:", "  hm", "  ok"]
    second = evaluation_lines(20, 0.6, 0.5, ["hm", "no"], ["hm", "ok"])
    assert second[0].endswith("0.600 bits per character; the best so far is 0.500, and its adapter is kept; it says:")
    assert second[1:] == ["  no"]
    assert evaluation_lines(20, 0.6, 0.5, ["no"], ["hm"], "no fault")[1:] == ["  no", "  (no fault)"]
    same = evaluation_lines(30, 0.5004, 0.5, ["hm"], ["hm"], "no fault")
    assert same == ["step 30: held-out 0.500 bits per character; it says the same as before"], "as far as is shown"
    assert evaluation_lines(20, 0.5, 0.6, ["no"], ["hm"], "no fault")[1:] == ["  no"]
    assert evaluation_lines(30, 0.4, 0.5, ["hm", "no"], ["hm", "no"]) == [
        "step 30: held-out 0.400 bits per character; it says the same as before"
    ]
