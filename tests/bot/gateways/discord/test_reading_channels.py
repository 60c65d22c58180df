"""What is held back comes after what was missed, from the earliest place that anybody asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from bot.gateway import IncomingMessage
from bot.gateways.discord import catch_up
from bot.gateways.discord.catch_up import CatchUp, Item
from bot.tasks import end


def said(number: int, channel: int = 1, *, mention: bool = False) -> IncomingMessage:
    return IncomingMessage(f"discord:{channel}", str(number), "5", "Bob", f"line {number}", 0.0, mention=mention)


class History:
    """What was said in every channel, page by page, and what was committed. while_reading: run once at the first page."""

    def __init__(self, *messages: IncomingMessage, while_reading: Callable[[], None] = lambda: None) -> None:
        self.messages = list(messages)
        self.committed: list[int] = []
        self.while_reading = while_reading

    async def read(self, number: int, after: int) -> AsyncIterator[Sequence[IncomingMessage]]:
        """One message a page."""
        for message in self.messages:
            if message.channel == f"discord:{number}" and int(message.message_id) > after:
                yield [message]
        happens, self.while_reading = self.while_reading, lambda: None
        happens()

    async def commit(self, items: Sequence[Item]) -> None:
        self.committed += [int(item.message_id) for item in items if isinstance(item, IncomingMessage)]

    def catch_up(self) -> CatchUp:
        return CatchUp(self.read, self.commit, lambda _: None, (0.0, 0.0))


@asynccontextmanager
async def running(reader: CatchUp) -> AsyncIterator[None]:
    """Wait until everything was read."""
    task = asyncio.create_task(reader.run())
    try:
        await asyncio.wait_for(reader.done.wait(), 20)
        yield
    finally:
        await end([task])


@pytest.mark.parametrize("order", [(10, 14), (14, 10)])
async def test_a_channel_is_read_from_the_earliest_place_that_was_asked_for(order: tuple[int, int]) -> None:
    """A new session asks from when nothing was missed, a full queue from what it dropped there."""
    history = History(said(11), said(12), said(15))
    reader = history.catch_up()
    for after in order:
        reader.expect(1, after)
    async with running(reader):
        assert history.committed == [11, 12, 15]


async def test_what_was_held_waits_for_what_is_asked_for_while_the_channel_is_read() -> None:
    """A held message that is committed first would move the watermark past what is still to be read."""

    def reconnected() -> None:
        assert reader.holds(said(20))
        history.messages[:0] = [said(7)]
        reader.expect(1, 5)

    history = History(said(11), while_reading=reconnected)
    reader = history.catch_up()
    reader.expect(1, 10)
    async with running(reader):
        assert [number for number in history.committed if number in (7, 20)] == [7, 20]


async def test_what_finds_no_room_among_the_held_is_read_from_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing newer is kept meanwhile; once all is committed there is room again."""
    monkeypatch.setattr(catch_up, "MOST_HELD", 2)

    def spoken() -> None:
        for number in (21, 22, 23, 24):
            history.messages.append(said(number))
            assert reader.holds(said(number))

    history = History(said(11), while_reading=spoken)
    reader = history.catch_up()
    reader.expect(1, 10)
    async with running(reader):
        assert sorted(set(history.committed)) == [11, 21, 22, 23, 24]
    history.committed.clear()
    reader.expect(1, 24)
    assert reader.holds(said(31))
    async with running(reader):
        assert history.committed == [31]


async def test_the_channel_in_which_somebody_called_is_read_before_newer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one reader, so that there is an order."""
    monkeypatch.setattr(catch_up, "READERS", 1)
    history = History(said(11, 1), said(12, 2), said(13, 3))
    reader = history.catch_up()
    for channel, newest in ((1, 11), (2, 12), (3, 13)):
        reader.expect(channel, 10, newest)
    assert reader.holds(said(14, 1, mention=True))
    async with running(reader):
        assert history.committed == [11, 14, 13, 12]
