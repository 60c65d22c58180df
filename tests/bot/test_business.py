"""Owners' own chats on Telegram: answers are drafts, which their owner sends, corrects or drops."""

import asyncio
from typing import Any

import sqlalchemy as sa

from tests.bot.test_operators_settings import reasons, remembered, until
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, Running, StartDaemon
from tests.fakes.fake_telegram import ALICE, FakeTelegram

OWNER: dict[str, Any] = {"id": 42, "is_bot": False, "first_name": "Mara"}
OWN_CHAT = {"id": 42, "type": "private", "first_name": "Mara"}
CONTACT = {"id": 555, "type": "private", "first_name": "Alice"}


def in_business(home: Home, telegram: FakeTelegram, talk: str = "") -> Home:
    on_telegram(home, telegram, talk)
    return home.settings(
        home.config.read_text().replace("[telegram]\n", "[telegram]\nbusiness = true\nowners = [42]\n")
    )


def write(telegram: FakeTelegram, text: str, author: dict[str, Any] = ALICE, **more: Any) -> int:
    """Somebody writes in the owner's chat with Alice."""
    message = telegram._message(CONTACT, author, text) | {"business_connection_id": "c1", **more}
    telegram.push({"business_message": message})
    return int(message["message_id"])


async def pressed(telegram: FakeTelegram, draft: dict[str, Any], data: str) -> str:
    """What the owner is told who pressed a button below a draft; pressed again where its post is not noted yet."""
    async with asyncio.timeout(20):
        while True:
            count = len(telegram.told)
            telegram.press({**draft["message"], "chat": OWN_CHAT}, data, author=OWNER)
            while len(telegram.told) == count:
                await asyncio.sleep(0.01)
            if "try again" not in telegram.told[-1]:
                return telegram.told[-1]


async def test_a_draft_goes_to_the_owner_and_nothing_to_the_contact_until_it_is_approved(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Not even that it types. Approved once, over the owner's connection, also after a restart."""
    daemon = await start_daemon(in_business(bare_home, telegram, "bursts = true\n"))
    daemon.engine.words = lambda _: "one\ntwo"
    write(telegram, "are you coming?")
    (draft,) = await telegram.wait_sent(1)
    assert (draft["chat_id"], draft["text"]) == (42, "Alice: are you coming?\n\none\ntwo")
    labels = [button["text"] for button in draft["reply_markup"]["inline_keyboard"][0]]
    assert (labels, telegram.actions) == (["✓", "✎", "✗"], [])
    assert await until(daemon, 1) == {"drafted": 1}
    await daemon.stop()
    daemon = await start_daemon(bare_home)
    assert await pressed(telegram, draft, "send") == "Sent."
    _, *sent = await telegram.wait_sent(3)
    assert [(one["chat_id"], one["business_connection_id"], one["text"]) for one in sent] == [
        (555, "c1", "one"),
        (555, "c1", "two"),
    ]
    assert "decided before" in await pressed(telegram, draft, "send")
    assert await until(daemon, 1) == {"answered": 1}
    assert len(telegram.sent) == 3


async def test_a_dropped_draft_is_sent_to_nobody(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Its message is declined."""
    daemon = await start_daemon(in_business(bare_home, telegram))
    number = write(telegram, "are you coming?")
    (draft,) = await telegram.wait_sent(1)
    assert await pressed(telegram, draft, "drop") == "Dropped."
    assert await reasons(daemon.store) == {str(number): "refused"}
    assert "decided before" in await pressed(telegram, draft, "send")
    assert len(telegram.sent) == 1


async def test_the_owners_own_words_are_sent_instead_and_kept_with_what_was_wrong(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """A reply to the draft. What an owner replies to anything else is a message like any other."""
    daemon = await start_daemon(in_business(bare_home, telegram))
    write(telegram, "are you coming?")
    (draft,) = await telegram.wait_sent(1)
    assert "own words" in await pressed(telegram, draft, "words")
    telegram.say("on my way", chat=OWN_CHAT, author=OWNER, reply_to={**draft["message"], "chat": OWN_CHAT})
    sent = await telegram.wait_sent(3)
    assert {(one["chat_id"], one["text"]) for one in sent[1:]} == {(555, "on my way"), (42, "Sent.")}
    assert await daemon.store.drafts.corrections() == [
        ("# group\n\nALICE:\nare you coming?\n", "sure, number 1", "on my way")
    ]
    told = next(one for one in sent[1:] if one["chat_id"] == 42)
    telegram.say("thanks", chat=OWN_CHAT, author=OWNER, reply_to={**told["message"], "chat": OWN_CHAT})
    assert (await telegram.wait_sent(4))[3]["text"] == "sure, number 2"
    await daemon.store.people.forget("telegram", "555")
    assert await daemon.store.drafts.corrections() == []
    tables = sa.text("select channel || origin from outbox union all select channel from contacts")
    left = await daemon.store.database.read(lambda read: [str(row[0]) for row in read.execute(tables)])
    assert not [row for row in left if "555" in row], "the owner's chat names nobody who is forgotten"


async def test_a_contact_is_answered_without_asking_after_so_many_approvals_in_a_row(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """[talk] auto_after; a draft that was dropped begins the count anew."""
    daemon = await start_daemon(in_business(bare_home, telegram, "auto_after = 2\n"))
    count = 0
    for press in ("send", "drop", "send", "send"):
        write(telegram, "well?")
        draft = (await telegram.wait_sent(count + 1))[count]
        assert draft["chat_id"] == 42
        assert await pressed(telegram, draft, press) in ("Sent.", "Dropped.")
        count += 1 + (press == "send")
        await telegram.wait_sent(count)
    write(telegram, "and now?")
    last = (await telegram.wait_sent(count + 1))[count]
    assert (last["chat_id"], "reply_markup" in last) == (555, False)
    assert (await until(daemon, 5))["answered"] == 4


async def test_what_the_owner_writes_is_the_personas_and_settles_the_draft(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """It is never answered, nor is what was sent through the connection heard again."""
    daemon = await start_daemon(in_business(bare_home, telegram))
    number = write(telegram, "are you coming?")
    (draft,) = await telegram.wait_sent(1)
    write(telegram, "yes!", author=OWNER)
    write(telegram, "an echo", author=OWNER, sender_business_bot={"id": 123456789, "is_bot": True, "first_name": "P"})
    async with asyncio.timeout(20):
        while await reasons(daemon.store) != {str(number): "answered by owner"}:
            await asyncio.sleep(0.01)
    assert "decided before" in await pressed(telegram, draft, "send")
    query = sa.text("select speaker, lines from memory where lines <> '[]' order by id")
    said = await daemon.store.database.read(lambda read: [tuple(row) for row in read.execute(query)])
    assert said == [("ALICE", '["are you coming?"]'), ("MARA VOSS", '["yes!"]')]
    assert len(telegram.sent) == 1


async def test_nobody_else_connects_it_to_their_chats(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Anybody can connect a public bot; and an owner can end it."""
    daemon = await start_daemon(in_business(bare_home, telegram))
    telegram.push({"business_connection": telegram.connection("c1", owner=43)})
    write(telegram, "hello?")
    telegram.push({"business_connection": telegram.connection("c1", enabled=False)})
    write(telegram, "hello?")
    telegram.push({"business_connection": telegram.connection("c1")})
    write(telegram, "hello, owner?")
    await telegram.wait_sent(1)
    await until(daemon, 1)
    assert [line for line in await remembered(daemon.store) if line != "[]"] == ['["hello, owner?"]']


async def test_a_strangers_press_decides_nothing(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Nor does a reply of somebody who is no owner."""
    running: Running = await start_daemon(in_business(bare_home, telegram))
    write(telegram, "are you coming?")
    (draft,) = await telegram.wait_sent(1)
    telegram.press({**draft["message"], "chat": OWN_CHAT}, "send", author=ALICE)
    await telegram.wait_confirmed()
    assert await until(running, 1) == {"drafted": 1}
    assert len(telegram.sent) == 1
