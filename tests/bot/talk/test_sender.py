"""Each row is posted once; what was certainly not made is given back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.gateway import Limits, NotSent, OutgoingMessage, ResultUnknown
from bot.metrics import BotMetrics
from bot.store import DAY, BotStore, OutgoingPart, Post
from bot.talk.pace import Pace
from bot.talk.places import Places
from bot.talk.sender import Sender
from persona.talk_settings import Talk
from tests.bot.rooms import Clock
from tests.fakes.room import Room

ACCOUNT, CHANNEL = "discord:1", "discord:7"
ONCE = Limits(units=2000, idempotent_sends=False)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BotStore]:
    opened = await BotStore.open("sqlite:///store.db", tmp_path, Clock())
    yield opened
    await opened.close()


def sender_of(store: BotStore, room: Room) -> Sender:
    async def nobody(_post: Post, _reason: str) -> None:
        pass

    places = Places(lambda _: Talk(typing=False))
    return Sender(store, room, "MARA", places, Pace(store, places, None), BotMetrics(), nobody, (0.01, 0.02))


async def put(store: BotStore) -> Post:
    (post,) = await store.outbox.put(ACCOUNT, CHANNEL, "tweet:1", [OutgoingPart("hi", ("hi",))])
    return post


async def states(store: BotStore) -> list[str]:
    return [post.state for post in await store.outbox.unsent(ACCOUNT)]


async def test_a_refused_post_is_ready_while_it_waits(store: BotStore) -> None:
    """A process that ends meanwhile leaves it to the next one."""
    room = Room(ONCE)
    room.trouble = [NotSent("rate limited", 600.0)]
    task = asyncio.create_task(sender_of(store, room).deliver(await put(store)))
    while room.trouble or await states(store) != ["ready"]:
        await asyncio.sleep(0.01)
    (row,) = await store.outbox.unsent(ACCOUNT)
    assert row.not_before >= store.clock() + 600
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await states(store) == ["ready"]


async def test_pacing_comes_before_a_post_is_begun(store: BotStore) -> None:
    """Else a process that ends while it waits its turn would leave an uncertain post that was never sent."""
    room = Room(ONCE)
    seen: list[str] = []

    async def pace(_channel: str, _post_type: str = "text") -> None:
        seen.extend(await states(store))

    room.pace = pace  # type: ignore[method-assign, assignment]
    assert await sender_of(store, room).deliver(await put(store))
    assert seen == ["ready"]


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_stale_copy_of_a_row_makes_no_second_post(store: BotStore, idempotent: bool) -> None:
    """Whoever comes with it: the store knows."""
    room = Room(Limits(units=2000, idempotent_sends=idempotent))
    post = await put(store)
    assert await sender_of(store, room).deliver(post)
    assert not await sender_of(store, room).deliver(post)
    assert len(room.posted) == 1


async def test_a_row_that_was_being_sent_is_uncertain_whoever_comes(store: BotStore) -> None:
    """Also with a copy of it that says `ready`."""
    room, post = Room(ONCE), await put(store)
    await store.outbox.begin(post)
    assert not await sender_of(store, room).deliver(post)
    assert room.posted == []
    assert await states(store) == []


async def test_a_post_that_is_looked_for_and_not_reached_stays_doubtful(
    store: BotStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have been made: no connection now says nothing about the earlier try."""
    room, post = Room(), await put(store)
    room.trouble = [ResultUnknown("500"), NotSent("not connected", 600.0)]
    task = asyncio.create_task(sender_of(store, room).deliver(post))
    while "not sent" not in caplog.text:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    looked: list[object] = []

    async def find(message: object) -> str:
        looked.append(message)
        return "77"

    room.find = find  # type: ignore[method-assign]
    later = sender_of(store, room)
    later.take_over(await store.outbox.unsent(ACCOUNT))
    assert await later.deliver(post)
    assert (len(looked), room.posted) == (1, [])


async def test_a_refusal_settles_no_doubt_about_an_earlier_try(store: BotStore) -> None:
    """The first try may have been made, whatever became of the second: it is looked for each time."""
    room, post = Room(), await put(store)
    room.trouble = [ResultUnknown("500"), NotSent("rate limited", 0.0)]
    known = ["77", ""]  # it shows up late

    async def find(_message: object) -> str:
        return known.pop()

    room.find = find  # type: ignore[method-assign,assignment]
    assert await sender_of(store, room).deliver(post)
    assert (known, room.posted) == ([], [])


async def test_what_an_earlier_process_left_is_looked_for_before_it_is_posted(store: BotStore) -> None:
    """Also where it expired meanwhile: it is found, or given up, and never posted a day late."""
    room, posts = Room(), [await put(store)]
    sender = sender_of(store, room)
    sender.take_over(posts)
    store.database.clock.now += DAY  # type: ignore[attr-defined]
    assert not await sender.deliver(posts[0])
    assert (room.posted, await states(store)) == ([], [])


async def test_a_post_that_is_found_made_is_not_made_again(store: BotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended while it was sending may have made it; the platform knows."""
    room, post = Room(), await put(store)
    await store.outbox.begin(post)

    async def find(_message: object) -> str:
        return "77"

    monkeypatch.setattr(room, "find", find)
    assert await sender_of(store, room).deliver(post)
    assert (room.posted, await states(store)) == ([], [])
    assert await store.outbox.origin_of(ACCOUNT, CHANNEL, "77") == "tweet:1"


async def test_what_can_not_be_sent_for_a_day_is_given_up(store: BotStore) -> None:
    """An answer that comes a day late is stranger than none."""
    room, post = Room(), await put(store)
    store.database.clock.now += DAY  # type: ignore[attr-defined]
    assert not await sender_of(store, room).deliver(post)
    assert (room.posted, await states(store)) == ([], [])


async def test_a_beginning_that_is_cancelled_leaves_the_post_ready(store: BotStore) -> None:
    """The store carries a step through, also where nobody waits for it any more."""
    room, post = Room(ONCE), await put(store)
    held = asyncio.Event()
    begin = store.outbox.begin

    async def slow(post: Post) -> Post | None:
        row = await begin(post)
        held.set()
        await asyncio.sleep(0.05)
        return row

    store.outbox.begin = slow  # type: ignore[method-assign]
    task = asyncio.create_task(sender_of(store, room).deliver(post))
    await held.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (room.posted, await states(store)) == ([], ["ready"])


async def test_what_is_taken_back_while_it_is_sent_does_not_stand(store: BotStore) -> None:
    """Its second part is on the way when the first is taken back: it is deleted as soon as it has an id."""
    room, under_way, go_on = Room(), asyncio.Event(), asyncio.Event()
    parts = [OutgoingPart("one", ("one",)), OutgoingPart("two", ("two",))]
    first, second = await store.outbox.put(ACCOUNT, CHANNEL, "command:1", parts)
    sender, send = sender_of(store, room), room.send

    async def slowly(message: OutgoingMessage) -> str:
        under_way.set()
        await go_on.wait()
        return await send(message)

    assert await sender.deliver(first)
    room.send = slowly  # type: ignore[method-assign]
    delivering = asyncio.create_task(sender.deliver(second))
    await under_way.wait()
    answer = await store.outbox.answer_with(ACCOUNT, CHANNEL)
    assert answer is not None
    await store.outbox.give_up_rest(ACCOUNT, CHANNEL, answer.origin)
    await store.outbox.forget_answer(ACCOUNT, CHANNEL, answer)
    go_on.set()
    assert not await delivering
    assert room.deleted == ["9000002"]
    assert await store.memory.latest(ACCOUNT, CHANNEL, 9) == []
