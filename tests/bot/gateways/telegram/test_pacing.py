"""Posts keep to Telegram's limits before they are sent."""

from bot.gateways.telegram.pacing import IN_A_GROUP, OVERALL, Pacing


def test_a_group_gets_twenty_a_minute_and_others_are_not_kept_waiting() -> None:
    """The moments are given away one after the other."""
    now = [100.0]
    pacing = Pacing(lambda: now[0])
    most, seconds = IN_A_GROUP
    assert [pacing.reserve(-1) for _ in range(most)] == [0.0] * most
    assert pacing.reserve(-1) == seconds
    now[0] += 2
    assert pacing.reserve(-2) == 0.0
    assert pacing.reserve(5) == 0.0
    now[0] += seconds
    assert pacing.reserve(-1) == 0.0


def test_all_chats_together_get_thirty_a_second() -> None:
    """Private ones too."""
    pacing = Pacing(lambda: 100.0)
    assert [pacing.reserve(chat) for chat in range(1, OVERALL[0] + 2)] == [0.0] * OVERALL[0] + [OVERALL[1]]


def test_what_telegram_says_about_one_chat_holds_there() -> None:
    """A flood wait."""
    pacing = Pacing(lambda: 100.0)
    pacing.hold(-1, 30.0)
    assert pacing.reserve(-1) == 30.0
    assert pacing.reserve(-2) == 0.0


def test_reactions_have_a_limit_of_their_own() -> None:
    """They are none of a group's messages a minute, and a refused one holds no message back; nor the other way round."""
    pacing, most = Pacing(lambda: 100.0), IN_A_GROUP[0]
    assert [pacing.reserve(-1) for _ in range(most)] == [0.0] * most
    assert pacing.reserve(-1, reacts=True) == 0.0
    pacing.hold(-2, 30.0, reacts=True)
    assert (pacing.reserve(-2), pacing.reserve(-2, reacts=True)) == (0.0, 30.0)
    pacing.hold(-3, 30.0)
    assert (pacing.reserve(-3), pacing.reserve(-3, reacts=True)) == (30.0, 0.0)
