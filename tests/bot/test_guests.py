"""Guest mode on Telegram: people call the bot into chats that it is not in, and its owner approves what it says there."""

import asyncio
import re
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.store import BotStore
from bot.store.schema import metadata
from tests.bot.test_bot_commands import examined
from tests.bot.test_business import OWN_CHAT, OWNER, pressed
from tests.bot.test_operators_settings import reasons, until
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, StartDaemon
from tests.fakes.fake_telegram import ALICE, BOT, GROUP, TOKEN, FakeTelegram, Trouble

ELSEWHERE: dict[str, Any] = {"id": -2002, "type": "supergroup", "title": "the choir"}
STRANGER: dict[str, Any] = {"id": 777, "is_bot": False, "first_name": "Eve"}


def as_guest(home: Home, telegram: FakeTelegram, talk: str = "") -> Home:
    telegram.takes_guests = True
    on_telegram(home, telegram, talk)
    return home.settings(home.config.read_text().replace("[telegram]\n", "[telegram]\nguest = true\nowners = [42]\n"))


def reply_to(telegram: FakeTelegram, draft: dict[str, Any], text: str = "", **content: Any) -> None:
    """An owner answers a draft in their private chat."""
    telegram.say(text, chat=OWN_CHAT, author=OWNER, reply_to={**draft["message"], "chat": OWN_CHAT}, **content)


async def dumped(store: BotStore) -> list[str]:
    """Every row of the store, behind the name of its table."""

    def rows(read: sa.Connection) -> list[str]:
        tables = metadata.sorted_tables
        return [f"{table.name} {row}" for table in tables for row in read.execute(sa.select(table))]

    return await store.database.read(rows)


def breaks_once(where: str) -> Trouble:
    """A connection that ends once at such a call."""
    left = [where]

    async def trouble(call: str, request: web.Request) -> web.StreamResponse | None:
        if call not in left:
            return None
        left.remove(call)
        assert request.transport
        request.transport.close()
        return web.Response()

    return trouble


async def always_too_much(call: str, _: web.Request) -> web.StreamResponse | None:
    if call != "before answerGuestQuery":
        return None
    refusal = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1"}
    return web.json_response({**refusal, "parameters": {"retry_after": 1}}, status=429)


async def drafted(telegram: FakeTelegram) -> dict[str, Any]:
    """The draft that an owner sees, whatever else they are told meanwhile."""
    async with asyncio.timeout(20):
        while True:
            for post in telegram.sent:
                if post.get("reply_markup"):
                    return post
            await asyncio.sleep(0.01)


async def test_a_call_is_answered_once_its_owner_approves(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """In one post, also after a restart; nothing stands in the other chat before."""
    daemon = await start_daemon(as_guest(bare_home, telegram, "bursts = true\nfeedback = true\n"))
    daemon.engine.words = lambda _: "one\ntwo"
    call = telegram.call("are you coming?", ELSEWHERE)
    (draft,) = await telegram.wait_sent(1)
    assert (draft["chat_id"], draft["text"]) == (42, "Alice: are you coming?\n\none\ntwo")
    assert (telegram.guest_posts, telegram.actions) == ({}, [])
    await daemon.stop()
    await start_daemon(bare_home)
    assert await pressed(telegram, draft, "send") == "Sent."
    await telegram.wait_sent(2)
    assert telegram.guest_posts == {f"inline {call}": "one\ntwo"}
    assert "decided before" in await pressed(telegram, draft, "send")


async def test_each_call_gets_its_own_answer_and_a_dropped_one_none(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Two of one person's, one right after the other."""
    home = as_guest(bare_home, telegram)
    daemon = await start_daemon(home.settings(re.sub(r"merge = '.*'", "merge = '3s'", home.config.read_text())))
    first, second = (telegram.call(words, ELSEWHERE) for words in ("are you coming?", "well?"))
    drafts = list(await telegram.wait_sent(2))
    assert [await pressed(telegram, draft, press) for draft, press in zip(drafts, ("drop", "send"), strict=True)] == [
        "Dropped.",
        "Sent.",
    ]
    await telegram.wait_sent(3)
    assert [*telegram.guest_posts] == [f"inline {second}"]
    assert (await reasons(daemon.store))[first] == "refused"


async def test_an_owner_is_told_that_it_was_too_late(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram takes an answer for a while only, and tells nobody for how long."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    call = telegram.call("are you coming?", ELSEWHERE)
    (draft,) = await telegram.wait_sent(1)
    del telegram.guest_calls[call]
    assert await pressed(telegram, draft, "send") == "Sent."
    told = (await telegram.wait_sent(2))[1]
    assert (told["chat_id"], told["text"].startswith("Not posted: ")) == (42, True)
    assert (await reasons(daemon.store))[call] == "undeliverable"


async def test_the_owners_own_words_are_one_post_and_say_what_it_is(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """With introduce, at the first answer in a chat; a draft shows it as it will stand."""
    await start_daemon(as_guest(bare_home, telegram, "bursts = true\nintroduce = true\n"))
    for press in ("", "send"):
        telegram.call("are you coming?", ELSEWHERE)
        draft = await drafted(telegram)
        assert ("I am a machine" in draft["text"]) == (not press)
        if press:
            await pressed(telegram, draft, press)
        else:
            shown = {**draft["message"], "chat": OWN_CHAT}
            telegram.say("on my way\nsoon", chat=OWN_CHAT, author=OWNER, reply_to=shown)
        async with asyncio.timeout(20):
            while len(telegram.guest_posts) < 1 + bool(press):
                await asyncio.sleep(0.01)
        telegram.sent.clear()
    words, later = telegram.guest_posts.values()
    assert words.startswith("on my way\nsoon\n\nI am a machine that imitates Mara Voss")
    assert later == "sure, number 2"


async def test_a_contact_in_whom_its_owner_trusts_is_answered_at_once(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """[talk] auto_after, chat by chat; it may be taken back, as far as a guest can."""
    daemon = await start_daemon(as_guest(bare_home, telegram, "auto_after = 1\n"))
    telegram.call("are you coming?", ELSEWHERE)
    await pressed(telegram, (await telegram.wait_sent(1))[0], "send")
    await telegram.wait_sent(2)
    second = telegram.call("and now?", ELSEWHERE)
    await telegram.wait_sent(3)
    assert telegram.guest_posts[f"inline {second}"] == "sure, number 2"
    channel = f"telegram:{ELSEWHERE['id']}:guest@42"
    (gateway,) = daemon.daemon._gateways
    await gateway.delete(channel, f"inline {second}")
    assert telegram.guest_posts[f"inline {second}"] == "(taken back)"


@pytest.mark.parametrize("by_owner", [False, True])
async def test_long_words_are_cut_to_the_one_post_and_not_given_up_for_what_it_says_of_itself(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, by_owner: bool
) -> None:
    """Nor are those behind a sticker, which a guest has none of. The draft says where it goes on."""
    daemon = await start_daemon(as_guest(bare_home, telegram, "bursts = true\nintroduce = true\n"))
    long = "x" * 4090
    daemon.engine.words = lambda _: f"one\n[sticker 🐸]\n{long}"
    telegram.call("?" * 2000, ELSEWHERE)
    draft = await drafted(telegram)
    assert draft["text"].endswith("x\n[… it goes on]")
    assert 3000 < len(draft["text"]) <= 4096
    await until(daemon, 1)
    if by_owner:
        reply_to(telegram, draft, text="@a " * 1300)
    else:
        await pressed(telegram, draft, "send")
    async with asyncio.timeout(20):
        while not telegram.guest_posts:
            await asyncio.sleep(0.01)
    (words,) = telegram.guest_posts.values()
    assert words.startswith("@\u2060a " if by_owner else "one\nxxx")
    assert words.endswith("did not write this. /about says more.")
    assert len(words) <= 4096
    assert await until(daemon, 1) == {"answered": 1}


async def test_what_is_no_words_decides_nothing(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """An owner who answers a draft with a sticker doesn't approve of it, and it can still be decided on."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    telegram.call("are you coming?", ELSEWHERE)
    draft = await drafted(telegram)
    await until(daemon, 1)
    photo = [{"file_id": "p", "file_unique_id": "q", "width": 1, "height": 1}]
    answers: list[dict[str, Any]] = [{"photo": photo, "caption": "no"}, {"text": "[photo]"}]
    for count, more in enumerate(answers):
        reply_to(telegram, draft, **more)
        assert (await telegram.wait_sent(2 + count))[-1]["text"].endswith("The draft still waits.")
    assert telegram.guest_posts == {}
    assert await pressed(telegram, draft, "send") == "Sent."


async def test_a_draft_whose_post_nobody_knows_of_is_known_by_its_buttons(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram showed it, and the connection broke before it said so."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    for press in (True, False):
        telegram.trouble = breaks_once("after sendMessage")
        telegram.sent.clear()
        call = telegram.call("are you coming?", ELSEWHERE)
        draft = await drafted(telegram)
        await until(daemon, 1)
        keyboard = draft["reply_markup"]["inline_keyboard"]
        if press:
            assert await pressed(telegram, draft, keyboard[0][0]["callback_data"]) == "Sent."
        else:
            draft["message"]["reply_markup"] = {"inline_keyboard": keyboard}
            reply_to(telegram, draft, text="on my way")
        async with asyncio.timeout(20):
            while f"inline {call}" not in telegram.guest_posts:
                await asyncio.sleep(0.01)
        assert telegram.guest_posts[f"inline {call}"] == ("sure, number 1" if press else "on my way")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [("after answerGuestQuery", "It may be posted or not"), ("rate limited", "Not posted: Telegram took nothing")],
)
async def test_an_owner_is_told_what_came_of_an_answer_that_they_approved(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, trouble: str, told: str
) -> None:
    """They read "Sent." and would not look again."""
    await start_daemon(as_guest(bare_home, telegram, "expires = '2s'\n"))
    telegram.call("are you coming?", ELSEWHERE)
    draft = await drafted(telegram)
    telegram.trouble = breaks_once(trouble)
    if trouble == "rate limited":
        telegram.trouble = always_too_much
    assert await pressed(telegram, draft, "send") == "Sent."
    async with asyncio.timeout(20):
        while not [post for post in telegram.sent if post["text"].startswith(told)]:
            await asyncio.sleep(0.01)


async def test_strangers_and_chats_that_are_listened_to_call_no_guest(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Anybody can find a Telegram bot: who may write to it may call it."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    for _ in range(3):
        telegram.call("hello?", ELSEWHERE, author=STRANGER)
    telegram.call("hello?", GROUP)
    telegram.call("hello?", ELSEWHERE, author={**BOT, "id": 9})
    telegram.call("hello, owner?", ELSEWHERE)
    await telegram.wait_sent(1)
    assert await until(daemon, 1) == {"drafted": 1}
    assert [place for _, place in await daemon.store.people.access_requests()] == ["user:9", "user:777"]


async def test_what_people_may_tell_it_for_themselves_is_obeyed_in_any_chat(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """At once: it is no talk, and nothing that an owner decides. Its introduction names /about."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    about, out, back = (telegram.call(f"/{name}", ELSEWHERE) for name in ("about", "optout@PersonaBot", "optin"))
    telegram.call("/pause", ELSEWHERE, author=OWNER)
    sent = await telegram.wait_sent(4)
    assert "imitates Mara Voss" in telegram.guest_posts[f"inline {about}"]
    assert "neither store nor answer" in telegram.guest_posts[f"inline {out}"]
    assert telegram.guest_posts[f"inline {back}"] == "I listen to you again."
    (draft,) = (post for post in sent if post.get("reply_markup"))
    assert (draft["chat_id"], draft["text"].split("\n")[0]) == (42, "Mara: /pause")
    assert await until(daemon, 1) == {"drafted": 1}


async def test_a_caller_who_is_forgotten_leaves_no_id(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Nor does the draft in the owner's chat, which holds their words; a chat of two may be named by them."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    telegram.call("are you coming?", {"id": 555, "type": "private", "first_name": "Alice"})
    telegram.call("are you coming?", ELSEWHERE)
    await telegram.wait_sent(2)
    await until(daemon, 2)
    await daemon.store.people.forget("telegram", str(ALICE["id"]))
    tables = sa.text("select channel || origin || text from outbox union all select channel || lines from memory")
    left = await daemon.store.database.read(lambda read: [str(row[0]) for row in read.execute(tables)])
    assert left == []


async def test_an_owner_who_is_forgotten_leaves_no_id(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """The chats in which they decide are named by them, and so are connections to their account."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    telegram.call("are you coming?", ELSEWHERE)
    await pressed(telegram, await drafted(telegram), "send")
    await telegram.wait_sent(2)
    telegram.call("and you?", ELSEWHERE)
    await telegram.wait_sent(3)
    await until(daemon, 2)
    await daemon.store.drafts.connect("telegram:123456789", "42", "c1")
    await daemon.store.people.forget("telegram", "42")
    assert [row for row in await dumped(daemon.store) if re.search(r"\b42\b", row)] == []


async def test_passed_on_words_of_who_opted_out_leave_no_id(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Only that they opted out is kept."""
    daemon = await start_daemon(as_guest(bare_home, telegram))
    await daemon.store.people.opt_out("telegram", "777")
    telegram.say("my secret", forward_origin={"type": "user", "date": 1, "sender_user": STRANGER})
    telegram.say("so she said", mention=True)
    await until(daemon, 1)
    rows = await dumped(daemon.store)
    assert [row for row in rows if "forwarded from" in row]
    assert not [row for row in rows if "secret" in row or ("777" in row and not row.startswith("optouts"))]


@pytest.mark.parametrize(("is_on", "guest"), [(True, True), (True, False), (False, True)])
async def test_doctor_compares_the_setting_with_botfathers(
    bare_home: Home, telegram: FakeTelegram, is_on: bool, guest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that nobody answers looks like a broken bot."""
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    as_guest(bare_home, telegram)
    telegram.takes_guests = is_on
    if not guest:
        bare_home.settings(bare_home.config.read_text().replace("guest = true\n", ""))
    findings = {finding.check: finding.ok for finding in await examined(bare_home)}
    assert findings["telegram guest mode"] == (is_on and guest)
