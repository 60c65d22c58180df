"""The daemon on Telegram: the real command and the real client library against a server on loopback."""

import asyncio
import re
import sqlite3
from collections.abc import Callable

import pytest
from aiohttp import web

from tests.conftest import Bot, Home, StartDaemon, sample_settings
from tests.fakes.fake_telegram import ALICE, GROUP, PRIVATE, TOKEN, FakeTelegram

Start = Callable[[Home, dict[str, str]], Bot]


def on_telegram(home: Home, telegram: FakeTelegram, extra: str = "") -> Home:
    places = f'[telegram]\nenabled = true\napi_base = "{telegram.api_base}"\nchats = [{GROUP["id"]}]\nusers = [{ALICE["id"]}]\n'
    return home.settings(sample_settings(f"{places}[talk]\ntyping = false\nmerge = '0s'\n{extra}"))


def verdicts(home: Home) -> list[tuple[str, str]]:
    with sqlite3.connect(f"file:{home.folder / 'alterego.db'}?mode=ro", uri=True) as store:
        return store.execute("select message_id, verdict from inbox order by id").fetchall()


async def test_it_answers_mentions_replies_and_private_messages_and_nothing_else(
    home: Home, telegram: FakeTelegram, start_bot: Start
) -> None:
    """A mention, a reply to it and a private message are answered as replies; others and strangers are not."""
    types_there = f'[[place]]\nmatch = "telegram:{GROUP["id"]}"\ntyping = true\n'
    process = start_bot(on_telegram(home, telegram, types_there), {"TELEGRAM_TOKEN": TOKEN})
    telegram.say("just talking")
    telegram.say("hello", chat={"id": -77, "type": "group", "title": "strangers"}, mention=True)
    telegram.say("hello", chat={**PRIVATE, "id": 999}, author={**ALICE, "id": 999})
    telegram.say("I am a bot", author={**ALICE, "id": 8, "is_bot": True}, mention=True)
    asked = telegram.say("what did turbine do?", mention=True)
    first = (await telegram.wait_sent(1, seconds=60))[0]
    assert first["reply_parameters"]["message_id"] == asked
    assert first["reply_parameters"]["allow_sending_without_reply"] is True
    assert any(action["action"] == "typing" for action in telegram.actions)
    before = len(telegram.sent)
    again = telegram.say("really?", reply_to=first["message"])
    private = telegram.say("hi", chat=PRIVATE)
    async with asyncio.timeout(30):
        while not {again, private} <= {
            sent.get("reply_parameters", {}).get("message_id") for sent in telegram.sent[before:]
        }:
            await asyncio.sleep(0.05)
    await telegram.wait_confirmed()
    process.terminate()
    assert await process.ended() == 0
    err = process.said
    assert [verdict for _, verdict in verdicts(home)] == ["answered"] * 3
    assert {int(action["chat_id"]) for action in telegram.actions} == {GROUP["id"]}  # elsewhere it is switched off
    assert "access request chat=-77" in err
    assert "access request user=999" in err
    assert TOKEN not in err


async def test_long_answers_are_counted_in_utf16_units(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram allows 4096 code units a message: 2048 emoji fit, 2049 don't."""
    daemon = await start_daemon(on_telegram(bare_home, telegram, "bursts = false\n"))
    daemon.engine.words = lambda _: "😺" * 5000
    telegram.say("tell me everything", mention=True)
    sent = await telegram.wait_sent(3)
    await daemon.stop()
    assert [len(one["text"]) for one in sent] == [2048, 2048, 904]


async def test_an_update_is_kept_by_telegram_until_it_is_committed(
    home: Home, telegram: FakeTelegram, start_bot: Start
) -> None:
    """kill -9 after the commit: answered once by the next process."""
    slow = "[sampling]\ntemperature = 5.0\ntop_p = 1.0\nmin_p = 0.0\nmax_new_tokens = 900\n"
    process = start_bot(on_telegram(home, telegram, slow), {"TELEGRAM_TOKEN": TOKEN})
    asked = telegram.say("are you there?", mention=True)
    async with asyncio.timeout(60):
        while not (home.folder / "alterego.db").exists() or not _rows(home):
            await asyncio.sleep(0.005)
    process.kill()
    await process.ended()
    assert telegram.sent == []
    start_bot(on_telegram(home, telegram), {"TELEGRAM_TOKEN": TOKEN})
    await telegram.wait_sent(1, seconds=60)
    await asyncio.sleep(1)
    assert verdicts(home) == [(str(asked), "answered")]
    assert [sent["reply_parameters"]["message_id"] for sent in telegram.sent if "reply_parameters" in sent] == [asked]


async def test_a_send_whose_result_is_unknown_is_uncertain_and_not_repeated(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram can't tell a message that was sent from one that wasn't."""

    def cut(_: object) -> None:
        raise web.HTTPInternalServerError

    telegram.on_send = cut
    await start_daemon(on_telegram(bare_home, telegram, "bursts = false\n"))
    asked = telegram.say("hello?", mention=True)
    async with asyncio.timeout(60):
        while not (bare_home.folder / "alterego.db").exists() or _rows(bare_home) != [(str(asked), "uncertain")]:
            await asyncio.sleep(0.05)
    telegram.on_send = None
    await asyncio.sleep(1)
    assert telegram.sent == []


async def test_forgetting_leaves_no_id_of_a_private_chat(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Telegram names a private chat by the person: memory, outbox, watermark and filling bore their id."""
    await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("hello?", chat=PRIVATE)
    await telegram.wait_sent(1)
    await telegram.wait_confirmed()
    assert _traces(bare_home, str(ALICE["id"]))
    telegram.say("/forget", chat=PRIVATE, entities=[{"type": "bot_command", "offset": 0, "length": 7}])
    told = (await telegram.wait_sent(2))[-1]["text"]
    assert told.startswith("Forgotten of telegram:555 at")
    await telegram.wait_confirmed()
    assert _traces(bare_home, str(ALICE["id"])) == set()


async def test_whoever_opted_out_leaves_no_id_but_there_whatever_they_go_on_to_write(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Watermark and surroundings would bear it anew with the next private message."""
    await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("/optout", chat=PRIVATE, entities=[{"type": "bot_command", "offset": 0, "length": 7}])
    await telegram.wait_sent(1)
    telegram.say("hello?", chat=PRIVATE)
    await telegram.wait_confirmed()
    assert _traces(bare_home, str(ALICE["id"])) == {"optouts"}


def _traces(home: Home, number: str) -> set[str]:
    """The tables in which this number stands as a text, or in one."""
    with sqlite3.connect(f"file:{home.folder / 'alterego.db'}?mode=ro", uri=True) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        rows = [(table, value) for table in tables for row in store.execute(f"select * from {table}") for value in row]
    found = re.compile(rf"(?<!\d){number}(?!\d)")
    return {table for table, value in rows if isinstance(value, str) and found.search(value)}


async def test_a_poison_update_is_put_away_and_the_next_is_answered(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """An update the library can't parse must not be met for ever."""
    await start_daemon(on_telegram(bare_home, telegram))
    telegram.push({"message": {"message_id": "not a number", "date": "never", "chat": 7}})
    telegram.say("still there?", mention=True)
    await telegram.wait_sent(1, seconds=60)
    await telegram.wait_confirmed()
    with sqlite3.connect(bare_home.folder / "alterego.db") as store:
        assert store.execute("select count(*) from quarantine").fetchone() == (1,)


async def test_a_bad_token_ends_it_with_78_and_one_sentence(
    home: Home, telegram: FakeTelegram, start_bot: Start
) -> None:
    """systemd must not restart it, and the token must not be told."""
    wrong = TOKEN.replace("AAFake", "BBFake")
    process = start_bot(on_telegram(home, telegram), {"TELEGRAM_TOKEN": wrong})
    code, err = await process.ended(), process.said
    assert code == 78
    assert (
        err.strip().splitlines()[-1]
        == "alterego: Telegram refused the token; put the token that @BotFather gave into TELEGRAM_TOKEN"
    )
    assert wrong not in err
    assert "Traceback" not in err


async def test_every_update_is_answered_one_call_after_the_other(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Updates are numbered by one: a call that confirms one too many makes Telegram forget what comes next."""
    daemon = await start_daemon(on_telegram(bare_home, telegram, "bursts = false\n"))
    asked = []
    for number in range(3):
        asked.append(telegram.say(f"mention {number}", mention=True))
        await telegram.wait_sent(number + 1, seconds=10)
        await telegram.wait_confirmed()
    await daemon.stop()
    assert [sent["reply_parameters"]["message_id"] for sent in telegram.sent] == asked


async def test_a_webhook_that_was_left_behind_is_deleted_and_said_so(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    """What it kept back is answered; the sentence is not the one about a second process, and tells no path."""
    telegram.webhook = "https://old.example.org/secret-path"
    telegram.say("are you there?", mention=True)
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    await telegram.wait_sent(1)
    await daemon.stop()
    assert telegram.webhook == ""
    assert "webhook deleted host=old.example.org" in caplog.text
    assert "another process" not in caplog.text
    assert "secret-path" not in caplog.text


async def test_while_another_process_fetches_its_updates_it_says_so_and_is_not_healthy(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    """And answers when the other one has gone."""
    rival = True

    async def trouble(moment: str, _request: web.Request) -> web.StreamResponse | None:
        return (
            telegram._conflict("terminated by other getUpdates request")
            if rival and moment == "before getUpdates"
            else None
        )

    telegram.trouble = trouble
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    asked = telegram.say("hello?", mention=True)
    async with asyncio.timeout(20):
        while (await daemon.daemon.state())["gateways"]["telegram"] != "pausing":
            await asyncio.sleep(0.01)
    assert not (await daemon.daemon.state())["ok"]
    rival = False
    await telegram.wait_sent(1)
    assert telegram.sent[0]["reply_parameters"]["message_id"] == asked
    assert "another process fetches this bot's updates; stop it" in caplog.text


@pytest.mark.parametrize("status", [403, 404, 401])
async def test_a_refusal_while_it_polls_is_no_reason_to_leave_for_good(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, status: int
) -> None:
    """A proxy's page: the token is good when it is next shown."""
    refusals = [status] * 2

    async def trouble(moment: str, _request: web.Request) -> web.StreamResponse | None:
        if moment != "before getUpdates" or not refusals:
            return None
        code = refusals.pop()
        return telegram._answer(False, code, description="Forbidden", error_code=code)

    telegram.trouble = trouble
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("still there?", mention=True)
    await telegram.wait_sent(1)
    await daemon.stop()
    assert refusals == []


async def test_a_server_that_does_not_hold_long_polls_is_asked_once_a_second(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """An empty answer that comes at once must not be asked for again at once; what comes is answered all the same."""
    telegram.holds = False
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    await asyncio.sleep(2.5)
    assert 1 <= telegram.polls <= 4
    telegram.say("hello?", mention=True)
    await telegram.wait_sent(1)
    await daemon.stop()


def _rows(home: Home) -> list[tuple[str, str]]:
    try:
        return verdicts(home)
    except sqlite3.OperationalError:  # the store is being made
        return []


async def test_a_failed_poll_leaves_no_connection_behind(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """One that hangs half-open would hold the only place in the pool: every later poll waits for it, deaf and in silence."""
    failures = [502]

    async def trouble(moment: str, _request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=failures.pop()) if moment == "before getUpdates" and failures else None

    telegram.trouble = trouble
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    (gateway,) = daemon.daemon._gateways
    first = gateway._polls._client  # type: ignore[attr-defined]
    telegram.say("hello", mention=True)
    await telegram.wait_sent(1)
    assert failures == []
    assert first.is_closed
