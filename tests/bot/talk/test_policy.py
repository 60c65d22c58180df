"""When the persona speaks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.gateways.base import IncomingMessage
from bot.talk.policy import EXPIRES, Verdict, calls, judge
from persona.config import Talk

HI = IncomingMessage("discord:1", "1", "2", "Bob", "hi all", 0.0)


@pytest.mark.parametrize(
    ("message", "called"),
    [
        (HI, None),
        (replace(HI, mention=True), "mention"),
        (replace(HI, reply=True), "reply"),
        (replace(HI, is_dm=True), "dm"),
        (replace(HI, mention=True, reply=True), "mention"),
        (replace(HI, text="ask mara"), None),
    ],
)
def test_what_calls_by_default(message: IncomingMessage, called: str | None) -> None:
    """A mention, a reply, a private message; nothing else."""
    assert calls(message, Talk(), names=("Mara",), luck=0.0) == called


@pytest.mark.parametrize(
    ("text", "called"), [("ask Mara!", "name"), ("MARA", "name"), ("maraschino", None), ("tamara", None)]
)
def test_a_name_calls_where_the_switch_is_on(text: str, called: str | None) -> None:
    """As a word, in any case."""
    talk = Talk(reply_to=("name",))
    assert calls(replace(HI, text=text), talk, names=("Mara",), luck=0.9) == called
    assert calls(replace(HI, mention=True), talk, names=("Mara",), luck=0.9) is None


@pytest.mark.parametrize(("luck", "called"), [(0.0, "unprompted"), (0.19, "unprompted"), (0.2, None), (0.99, None)])
def test_it_speaks_unprompted_as_luck_has_it(luck: float, called: str | None) -> None:
    """With the set probability, which is 0 by default."""
    assert calls(HI, Talk(unprompted=0.2), names=(), luck=luck) == called
    assert calls(HI, Talk(), names=(), luck=0.0) is None


@pytest.mark.parametrize(
    ("age", "since", "is_dm", "verdict"),
    [
        (1, 9e9, False, Verdict(True, "called")),
        (1, 30, False, Verdict(False, "cooldown")),
        (1, 60, False, Verdict(True, "called")),
        (1, 30, True, Verdict(True, "called")),
        (EXPIRES + 1, 9e9, True, Verdict(False, "expired")),
    ],
)
def test_verdicts(age: float, since: float, is_dm: bool, verdict: Verdict) -> None:
    """Cooldowns hold in channels, not in private; a day late is too late."""
    assert judge(Talk(cooldown=timedelta(minutes=1)), age=age, since_reply=since, is_dm=is_dm) == verdict
