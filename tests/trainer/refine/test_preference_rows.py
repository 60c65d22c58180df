"""Judged answers as rows: the bot's own prompt, loss on the answer alone."""

from dataclasses import replace

from engine.voice import Voice
from persona.prompt import reply_prompt
from persona.transcript import Conversation, Turn
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from trainer.refine.judged_replies import JudgedReply
from trainer.refine.preference_rows import preference_set

VOICE: Voice = small_voice(FakeEngine())


def replies(count: int, *, refused_every: int = 2, right: tuple[str, ...] = ()) -> list[JudgedReply]:
    """So many answers to different questions."""
    made = []
    for number in range(count):
        context = Conversation("group", (Turn("JONAS", (f"question {number}?",)),), 2024)
        liked = bool(number % refused_every)
        made.append(
            JudgedReply(
                context,
                (f"answer {number}", "yes indeed" if liked else "um no"),
                liked,
                () if liked else right,
                key=str(number),
            )
        )
    return made


def test_a_row_is_the_prompt_of_the_bot_and_the_answer() -> None:
    """With its end; what is mismatched is the same prompt with another answer."""
    rows = preference_set(VOICE.encoding, VOICE.seal, replies(40))
    (first, *_) = rows.train
    start = first.row.loss_mask.index(True)
    prompts = [
        reply_prompt(VOICE.encoding, VOICE.seal, "group", reply.context.turns, room=100, year=2024)
        for reply in replies(40)
    ]
    assert tuple(first.row.ids[:start]) in prompts
    assert all(first.row.loss_mask[start:])
    assert first.row.ids[-1] == VOICE.encoding.end_of_turn
    said = VOICE.encoding.completion(first.row.ids[start:])
    assert said.startswith("answer ")
    other = first.mismatched
    assert other.ids[:start] == first.row.ids[:start]
    assert VOICE.encoding.completion(other.ids[start:]) != said
    assert first.row.characters == len(said) + 1


def test_every_fourth_prompt_judges_and_none_is_learned_from() -> None:
    """About; a held-out correction is a pair, one that is learned from a supervised row besides."""
    judged = replies(200, right=("right",))
    rows = preference_set(VOICE.encoding, VOICE.seal, judged)
    held_out = sum(reply.is_held_out for reply in judged)
    corrected = sum(reply.is_held_out and not reply.liked for reply in judged)
    assert 30 < held_out < 70
    assert (len(rows.train), len(rows.held_out)) == (200 - held_out, held_out + corrected)
    assert len(rows.supervised) == 100 - corrected
    assert rows.count(liked=True) + rows.count(liked=False) == len(rows.train)
    assert not {tuple(row.row.ids) for row in rows.train} & {tuple(row.row.ids) for row in rows.held_out}


def test_the_only_refusal_is_learned_from() -> None:
    """Of ten votes one against is enough to begin, whichever prompt it is on."""
    for start in range(12):
        judged = [replace(reply, liked=number != start) for number, reply in enumerate(replies(12))]
        rows = preference_set(VOICE.encoding, VOICE.seal, judged)
        assert rows.count(liked=False) == 1
    liked = preference_set(VOICE.encoding, VOICE.seal, [replace(reply, liked=True) for reply in replies(12)])
    assert (liked.count(liked=False), liked.count(liked=True) > 0) == (0, True)


def test_a_correction_longer_than_the_context_is_left_out_and_counted() -> None:
    """The answer that it corrects stays refused; a long context loses its oldest turns."""
    seal = VOICE.seal.model_copy(update={"max_length": 128})
    judged = [
        replace(reply, right=("word " * 200,)) for reply in replies(8) if not reply.liked and not reply.is_held_out
    ]
    rows = preference_set(VOICE.encoding, seal, judged)
    assert judged
    assert (rows.supervised, rows.left_out, len(rows.train)) == ([], len(judged), len(judged))
    long = Conversation("group", tuple(Turn("JONAS" if k % 2 else "PRIYA", ("word " * 8,)) for k in range(30)), 2024)
    row, *_ = preference_set(VOICE.encoding, seal, [replace(judged[0], context=long)]).train
    assert len(row.row.ids) <= 128
