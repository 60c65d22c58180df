"""What messages answer and pass on, and reactions to them: kept with the message, gone with whoever said it."""

from typing import Any

import pytest

from bot.store import BotStore, HistoryMessage, InboundMessage
from bot.store.records import reaction_id
from tests.bot.store.conftest import ACCOUNT, CHANNEL, commit, heard


def answering(number: int, to: str, **more: object) -> InboundMessage:
    fields: dict[str, Any] = {
        "quoted_author": "v",
        "quoted_speaker": "ANN",
        "quoted": ("as told",),
        "reply_to": to,
        **more,
    }
    return heard(number, **fields)


def reacting(to: str, emoji: str = "😂", author: str = "w") -> InboundMessage:
    row = InboundMessage(ACCOUNT, CHANNEL, reaction_id(to, author, emoji), author, "CLEO", (f"[react {emoji}]",), 9.0)
    return InboundMessage(**{name: getattr(row, name) for name in row.__slots__} | {"reply_to": to, "name": "Cleo"})


async def last(store: BotStore) -> HistoryMessage:
    (message,) = await store.memory.latest(ACCOUNT, CHANNEL, 1)
    return message


async def test_what_is_remembered_is_quoted_as_it_is_remembered(store: BotStore) -> None:
    """As it reads now; the words that the platform told are kept where there are no others, and of a part always."""
    await commit(store, heard(1, "v", speaker="ANN"), answering(2, "1"))
    assert ((await last(store)).quoted_speaker, (await last(store)).quoted) == ("ANN", ("line 1",))
    await store.memory.edit(ACCOUNT, CHANNEL, "1", ("changed",))
    assert (await last(store)).quoted == ("changed",)
    await commit(store, answering(3, "77"))
    assert (await last(store)).quoted == ("as told",)
    await store.memory.edit(ACCOUNT, CHANNEL, "77", ("changed",))
    assert (await last(store)).quoted == ("changed",)
    await commit(store, answering(4, "1", is_part_quoted=True))
    assert (await last(store)).quoted == ("as told",)
    await store.memory.delete(ACCOUNT, CHANNEL, ["1"])
    assert (await last(store)).quoted == ()


async def test_with_a_person_goes_what_others_quoted_of_them(store: BotStore) -> None:
    """And what they passed on; the rest of what others said stays."""
    await commit(store, answering(1, "77"), heard(2, forwarded_author="v"))
    receipt = await store.people.forget("discord", "v")
    assert (receipt.quotes, receipt.rows) == (2, 2)
    forwarding, quoting = sorted(await store.memory.latest(ACCOUNT, CHANNEL, 5), key=lambda one: one.lines)
    assert (quoting.lines, quoting.quoted_speaker, quoting.quoted) == (("line 1",), "", ("[…]",))
    assert forwarding.lines == ("[forwarded from […]] […]",)


async def test_reactions_are_to_what_is_remembered(store: BotStore) -> None:
    """The same one is there once; taken back, cleared or with their message they go. They are no message to read from."""
    await commit(store, heard(1))
    assert not await store.memory.react(reacting("77"))
    for reaction in (reacting("1"), reacting("1"), reacting("1", "👍"), reacting("1", author="x")):
        assert await store.memory.react(reaction)
    assert len(await store.memory.latest(ACCOUNT, CHANNEL, 9)) == 4
    assert await store.memory.unreact(ACCOUNT, CHANNEL, "1", "w", "😂") == 1
    assert await store.memory.unreact(ACCOUNT, CHANNEL, "1", emoji="👍") == 1
    assert await store.memory.oldest_id(ACCOUNT, CHANNEL) == "1"
    await store.memory.delete(ACCOUNT, CHANNEL, ["1"])
    assert await store.memory.latest(ACCOUNT, CHANNEL, 9) == []


async def test_whoever_is_renamed_is_renamed_in_what_is_remembered(store: BotStore) -> None:
    """In their words and in quotes of them."""
    await commit(store, heard(1, "v", speaker="ANN"), answering(2, "77"), heard(3, "v", speaker="ANNA", name="Anna"))
    first, second, _ = await store.memory.latest(ACCOUNT, CHANNEL, 5)
    assert (first.speaker, second.quoted_speaker) == ("ANNA", "ANNA")


@pytest.mark.parametrize("days", [1, 100])
async def test_stickers_are_kept_by_channel_for_a_while(store: BotStore, days: float) -> None:
    """The last one of an emoji."""
    for number, name in enumerate(("old", "new")):
        await commit(store, heard(1_000_000 - number, sticker="😀", sticker_id=name))
    assert await store.memory.stickers(ACCOUNT, CHANNEL) == {"😀": "new"}
    store.database.clock.now += 2 * 86400.0  # type: ignore[attr-defined]
    await store.purge(days)
    assert bool(await store.memory.stickers(ACCOUNT, CHANNEL)) is (days > 2)
    await store.memory.reset(ACCOUNT, CHANNEL)
    assert await store.memory.stickers(ACCOUNT, CHANNEL) == {}


async def test_a_moved_chat_keeps_its_links(store: BotStore) -> None:
    """Its ids get the old name before them, in links too."""
    await commit(store, heard(1, "v", speaker="ANN"), answering(2, "1"))
    await store.channels.move(ACCOUNT, CHANNEL, "discord:new")
    (message,) = await store.memory.latest(ACCOUNT, "discord:new", 1)
    assert (message.reply_to, message.quoted) == (f"{CHANNEL}/1", ("line 1",))
