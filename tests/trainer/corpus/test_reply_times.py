"""The person's times, from the timestamps of the corpus."""

import random
from collections.abc import Callable

import pytest

from persona.transcript import Conversation, Quote, Turn
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.reply_times import MIN_DATED, MIN_DELAYS, clocks_of, reply_delays, reply_timing
from trainer.evaluate.reply_rhythm import delay_distance, fast_distance

ME = "MARA VOSS"
DAY = 86400.0
NOON = 1_700_000_000.0 // DAY * DAY + 12 * 3600


def record(
    number: int, *turns: tuple[str, str, float | None, float | None], platform: str = "discord"
) -> ConversationRecord:
    """Turns of speaker, lines, and when the first and the last message was said."""
    said = tuple(Turn(speaker, tuple(lines.split("/"))) for speaker, lines, _, _ in turns)
    began, ended = tuple(turn[2] for turn in turns), tuple(turn[3] for turn in turns)
    return ConversationRecord(f"{number:016}", Conversation("group", said), began, platform, ended)


def talk(number: int, rng: random.Random, clock: Callable[[float], float] = lambda at: at) -> ConversationRecord:
    """A question, an answer after a minute or more, and a quick one in the middle of the talk."""
    at = NOON + number * DAY + rng.random() * 3600
    slow, quick = 60 + rng.random() * 600, 4 + rng.random() * 10
    times = [at, at + slow, at + slow + 8, at + slow + 20, at + slow + 20 + quick]
    first, second, burst, third, last = map(clock, times)
    return record(
        number,
        ("JONAS", "did you sleep", first, first),
        (ME, "no/the cat disagreed with it", second, burst),
        ("JONAS", "hm", third, third),
        (ME, "hm", last, last),
    )


def test_hot_talk_is_quick_and_typing_is_learned() -> None:
    """From the first message in a while to the last of a burst; the time it takes to type is its own."""
    rng = random.Random(0)
    records = [talk(number, rng) for number in range(MIN_DATED)]
    timing = reply_timing(records, ME)
    assert timing is not None
    assert timing.typing == pytest.approx(25 / 8, rel=0.1)
    assert timing.delay(is_hot=True, characters=2, draw=0.5) == pytest.approx(9, abs=1.5)
    assert timing.delay(is_hot=False, characters=13, draw=0.5) == pytest.approx(360, abs=60)
    assert timing.chats is not None
    assert sum(timing.chats.hours[12:14]) == pytest.approx(1, abs=0.01)
    replies = reply_delays(records, ME)
    distance, at_once = delay_distance(timing, replies), fast_distance(replies)
    assert distance is not None
    assert at_once is not None
    assert distance.value < 0.1
    assert at_once.value > 0.9


@pytest.mark.parametrize("clock", [lambda _: None, lambda at: at // DAY * DAY, lambda at: at // DAY * DAY + 3600 * 12])
def test_a_clock_that_tells_the_day_alone_tells_nothing(clock: Callable[[float], float]) -> None:
    """Nor does an export without times."""
    rng = random.Random(0)
    assert reply_timing([talk(number, rng, clock) for number in range(MIN_DATED)], ME) is None


def test_a_clock_of_minutes_is_spread_over_them() -> None:
    """WhatsApp writes no seconds: what was answered in the same minute took some of it."""
    rng = random.Random(0)
    records = [talk(number, rng, lambda at: at // 60 * 60) for number in range(MIN_DATED)]
    assert clocks_of(records, ME) == {"discord": 60.0}
    timing = reply_timing(records, ME)
    assert timing is not None
    assert timing.typing == 0.0
    quick = [timing.delay(is_hot=True, characters=2, draw=draw) for draw in (0.1, 0.5, 0.9)]
    assert 0 < quick[0] < quick[1] < quick[2] < 120
    assert len(set(reply_delays(records, ME))) > MIN_DATED


def test_thirty_messages_tell_nothing() -> None:
    """Too few for any situation."""
    rng = random.Random(0)
    assert reply_timing([talk(number, rng) for number in range(MIN_DELAYS // 2 - 1)], ME) is None


def test_only_replies_to_what_stands_before_count() -> None:
    """Not what begins a talk, quotes something older, is a reaction, or was said before its question by a wrong clock."""
    quoting = Turn(ME, ("ghent",), Quote("JONAS", "where to"))
    turns = (Turn("JONAS", ("hi",)), quoting, Turn("JONAS", ("so",)), Turn(ME, ("[react 😂]",)), Turn(ME, ("yes",)))
    times = (1.0, 2.0, 3.0, None, 9.0)
    early = record(2, (ME, "hi", 1.0, 1.0), ("JONAS", "hi", 50.0, 50.0), (ME, "so", 40.0, 40.0))
    records = [ConversationRecord("1" * 16, Conversation("group", turns), times, "x"), early]
    assert [(reply.seconds, reply.is_hot) for reply in reply_delays(records, ME)] == [(6.0, True)]
