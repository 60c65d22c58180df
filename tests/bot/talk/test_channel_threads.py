"""The thread of the message that is answered, out of what is remembered of a channel."""

import pytest

from bot.store import HistoryMessage
from bot.talk import channel_threads
from bot.talk.channel_threads import GROWN_MIN_MESSAGES, MIN_MESSAGES, ChannelThreads


def said(number: int, author: str, text: str, reply_to: int | None = None, *, mention: bool = False) -> HistoryMessage:
    link = "" if reply_to is None else str(reply_to)
    own = author == "mara"
    return HistoryMessage(str(number), "" if own else author, author.upper(), (text,), 1e9 + number, link, mention)


def two_topics(rounds: int) -> list[HistoryMessage]:
    """Ann and Bob on soup, Cem and Dot on bikes, message by message; each links to the one before on the topic."""
    talk: list[HistoryMessage] = []
    for number in range(0, 4 * rounds, 4):
        links = [number - 2, number - 1, number, number + 1] if number else [None, None, 0, 1]
        people = zip(("ann", "cem", "bob", "dot"), ("soup", "bike", "soup", "bike"), links, strict=True)
        talk += [said(number + k, who, f"{topic} {number}", link) for k, (who, topic, link) in enumerate(people)]
    return talk


def shown(messages: list[HistoryMessage], answered: int, finder: ChannelThreads | None = None) -> list[str]:
    context = (finder or ChannelThreads("MARA", is_grown=True)).context("c", messages, str(answered), {})
    return [message.message_id for message in context.messages]


def test_only_the_thread_is_shown() -> None:
    """Whoever speaks without a link goes on in their own topic."""
    talk = [*two_topics(4), said(16, "ann", "so, mara?", mention=True)]
    assert shown(talk, 16) == [*map(str, range(0, 16, 2)), "16"]


def test_a_short_thread_is_filled_up_with_the_newest_before_it() -> None:
    """So that nobody answers out of nowhere; what was said since then in other talk stays out."""
    talk = [*two_topics(4), said(16, "eve", "the tram is late"), said(17, "cem", "hm"), said(18, "bob", "eve: again?")]
    before = map(str, range(16 - (GROWN_MIN_MESSAGES - 2), 16))
    assert shown(talk, 18) == [*before, "16", "18"]


def test_a_real_base_is_shown_more_before_a_short_thread() -> None:
    """It makes something of it; one grown here doesn't."""
    talk = [*two_topics(10), said(40, "eve", "the tram is late"), said(41, "bob", "eve: again?")]
    before = map(str, range(40 - (MIN_MESSAGES - 2), 40))
    assert shown(talk, 41, ChannelThreads("MARA", is_grown=False)) == [*before, "40", "41"]


def test_an_answer_to_what_was_said_long_ago_stands_in_its_thread() -> None:
    """A link reaches over all that came between."""
    talk = [*two_topics(20), said(80, "dot", "what about this", 2)]
    context = shown(talk, 80)
    assert context[-1] == "80"
    assert {int(name) % 2 for name in context} == {0}


def test_messages_are_assigned_once() -> None:
    """What is added is assigned where the finder stands; a channel whose past changed is read anew."""
    talk, finder = two_topics(30), ChannelThreads("MARA", is_grown=True)
    for end in range(20, 121, 5):
        assert shown(talk[max(0, end - 60) : end], end - 1, finder)
    calls = []
    channel = finder._channels["c"]
    assign = channel.finder.assign
    channel.finder.assign = lambda *given: calls.append(given) or assign(*given)  # type: ignore[method-assign, func-returns-value]
    shown([*talk[60:120], said(120, "ann", "soup")], 120, finder)
    assert len(calls) == 1
    earlier = [said(-1, "ann", "from the history"), *talk[60:120]]
    assert shown(earlier, 119, finder) == shown(earlier, 119)


def test_what_was_deleted_or_is_not_remembered_breaks_nothing() -> None:
    """Also where the answered message itself is gone."""
    talk, finder = two_topics(5), ChannelThreads("MARA", is_grown=True)
    shown(talk, 19, finder)
    assert "4" not in shown([*talk[:4], *talk[5:]], 19, finder)
    assert shown(talk[:3], 99, finder) == ["0", "1", "2"]


def test_only_so_many_channels_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are found anew."""
    monkeypatch.setattr(channel_threads, "CHANNELS", 3)
    finder = ChannelThreads("MARA", is_grown=True)
    for number in range(10):
        finder.context(f"c{number % 5}", two_topics(2), "7", {})
    assert len(finder._channels) == 3


def test_display_names_address_people() -> None:
    """Live somebody is written under another key than they are called by."""
    talk = [*two_topics(4), said(16, "eve", "how is your leg, everybody"), said(17, "dot", "@Käthe, which part")]
    context = ChannelThreads("MARA", is_grown=True).context("c", talk, "17", {"KÄTHE": "ANN"})
    assert {int(message.message_id) % 2 for message in context.messages[:-1]} == {0}
