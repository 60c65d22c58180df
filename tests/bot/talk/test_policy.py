"""When the persona speaks."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.gateway import IncomingMessage
from bot.store import DAY, HistoryMessage, Recent
from bot.talk.policy import LONE_TURNS, LOOP, Moment, Verdict, calls, goes_round, judge, may_speak_up, within
from persona.talk_settings import Talk

HI = IncomingMessage("discord:1", "1", "2", "Bob", "hi all", 0.0)
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
AT = Moment(NOON)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("message", "trigger"),
    [
        (HI, ""),
        (replace(HI, mention=True), "mention"),
        (replace(HI, reply=True), "reply"),
        (replace(HI, is_dm=True), "dm"),
        (replace(HI, mention=True, reply=True), "mention"),
        (replace(HI, text="ask mara"), ""),
    ],
)
def test_what_calls_by_default(message: IncomingMessage, trigger: str) -> None:
    """A mention, a reply, a private message; nothing else."""
    assert calls(message, Talk(), names=("Mara",)) == trigger


@pytest.mark.parametrize(
    ("text", "trigger"), [("ask Mara!", "name"), ("MARA", "name"), ("maraschino", ""), ("tamara", "")]
)
def test_a_name_calls_where_the_switch_is_on(text: str, trigger: str) -> None:
    """As a word, in any case."""
    talk = Talk(reply_to=("name",))
    assert calls(replace(HI, text=text), talk, names=("Mara",)) == trigger
    assert calls(replace(HI, mention=True), talk, names=("Mara",)) == ""


@pytest.mark.parametrize(
    ("message", "unprompted", "may"),
    [
        (HI, 0.0, False),
        (HI, 0.1, True),
        (replace(HI, is_dm=True), 1.0, False),
        (replace(HI, is_bot=True), 1.0, False),
        (replace(HI, channel="telegram:5@9"), 1.0, False),
    ],
)
def test_it_speaks_up_only_among_people(message: IncomingMessage, unprompted: float, may: bool) -> None:
    """Never by default, never after a bot, in private, or in its owner's own chats."""
    assert may_speak_up(message, Talk(unprompted=unprompted)) is may


def exchange(turns: int, *others: str, **more: object) -> list[HistoryMessage]:
    """Others in turn, each answered by the persona."""
    said: list[HistoryMessage] = []
    for number in range(turns):
        author = others[number % len(others)]
        said.append(HistoryMessage(f"{number}a", author, author.upper(), ("and?",), float(number), **more))  # type: ignore[arg-type]
        said.append(HistoryMessage(f"{number}b", "", "MARA", ("so", "what"), number + 0.5))
    return [*said, HistoryMessage("last", others[0], others[0].upper(), ("and?",), 99.0)]


@pytest.mark.parametrize(
    ("messages", "is_round"),
    [
        (exchange(LONE_TURNS, "bob"), True),
        (exchange(LONE_TURNS - 1, "bob"), False),
        (exchange(LONE_TURNS, "bob", "eve"), False),
        (exchange(LONE_TURNS, "bob", to_persona=True), False),
        (exchange(LONE_TURNS, "bob", reply_to="0b"), False),
        ([], False),
    ],
)
def test_two_machines_do_not_talk_for_ever(messages: list[HistoryMessage], is_round: bool) -> None:
    """Whoever is alone with it and wants to go on calls it."""
    assert goes_round(messages) is is_round


@pytest.mark.parametrize(
    ("talk", "trigger", "moment", "is_dm", "verdict"),
    [
        ({}, "mention", AT, False, Verdict(True, "mention")),
        ({}, "mention", replace(AT, age=DAY + 1), True, Verdict(False, "too old", "expired")),
        ({}, "dm", replace(AT, silent=True), True, Verdict(False, "quiet")),
        ({"quiet_hours": "11:00-13:00"}, "mention", AT, False, Verdict(False, "quiet hours")),
        ({"quiet_hours": "13:00-11:00"}, "mention", AT, False, Verdict(True, "mention")),
        ({}, "dm", replace(AT, recent=Recent(author_minute=LOOP)), True, Verdict(False, "loop")),
        ({}, "dm", replace(AT, recent=Recent(author_minute=LOOP - 1)), True, Verdict(True, "dm")),
        ({"cooldown": MINUTE}, "mention", replace(AT, since_spoke=59), False, Verdict(False, "cooldown")),
        ({"cooldown": MINUTE}, "mention", replace(AT, since_spoke=60), False, Verdict(True, "mention")),
        ({"cooldown": MINUTE}, "dm", replace(AT, since_spoke=1), True, Verdict(True, "dm")),
        ({}, "mention", replace(AT, since_spoke=1), False, Verdict(True, "mention")),
        ({}, "mention", replace(AT, since_spoke=-3600), False, Verdict(True, "mention")),  # the clock was set back
        ({}, "dm", replace(AT, recent=Recent(author_at=NOON.timestamp() + 99)), True, Verdict(True, "dm")),
        ({}, "unprompted", replace(AT, since_spoke=1), False, Verdict(True, "unprompted")),
        (
            {"unprompted_cooldown": MINUTE},
            "unprompted",
            replace(AT, since_spoke=59),
            False,
            Verdict(False, "unprompted cooldown"),
        ),
        (
            {},
            "unprompted",
            replace(AT, recent=Recent(unprompted_hour=30)),
            False,
            Verdict(False, "unprompted hourly"),
        ),
        ({}, "mention", replace(AT, recent=Recent(unprompted_hour=30)), False, Verdict(True, "mention")),
        (
            {"user_cooldown": MINUTE},
            "dm",
            replace(AT, recent=Recent(author_at=NOON.timestamp() - 59)),
            True,
            Verdict(False, "user cooldown"),
        ),
        ({"hourly": 3}, "mention", replace(AT, recent=Recent(channel_hour=3)), False, Verdict(False, "hourly")),
        ({"hourly": 3}, "mention", replace(AT, recent=Recent(channel_hour=2)), False, Verdict(True, "mention")),
        ({"hourly": 3}, "dm", replace(AT, recent=Recent(channel_hour=3)), True, Verdict(True, "dm")),
        ({"user_hourly": 3}, "dm", replace(AT, recent=Recent(author_hour=3)), True, Verdict(False, "user hourly")),
        ({}, "mention", replace(AT, recent=Recent(99, 99)), False, Verdict(True, "mention")),
    ],
)
def test_verdicts(talk: dict[str, object], trigger: str, moment: Moment, is_dm: bool, verdict: Verdict) -> None:
    """The first rule that is against it gives the reason; channel rules don't hold in private."""
    assert judge(Talk(**talk), trigger, moment, is_dm=is_dm) == verdict  # type: ignore[arg-type]


def test_quiet_hours_are_local() -> None:
    """Noon in Greenwich is two o'clock in Berlin in summer."""
    talk = Talk(quiet_hours="13:30-14:30")  # type: ignore[arg-type]
    assert judge(talk, "mention", AT, is_dm=False).answer
    assert not judge(talk, "mention", AT, is_dm=False, timezone="Europe/Berlin").answer


@pytest.mark.parametrize(
    ("hours", "at", "inside"),
    [("", "03:00", False), ((22, 6), "23:00", True), ((22, 6), "06:00", False), ((9, 9), "03:00", True)],
)
def test_hours_may_span_midnight(hours: str | tuple[int, int], at: str, inside: bool) -> None:
    """Equal ends hold all day."""
    span = hours if isinstance(hours, str) else (time(hours[0]), time(hours[1]))
    assert within(span, datetime.fromisoformat(f"2024-06-01T{at}")) is inside
