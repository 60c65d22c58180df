"""Everything that goes wrong, one function a fault. Each makes mentions and trouble around them."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from tests.chaos.run import Run
from tests.fakes.fake_telegram import ALICE, GROUP

Body = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One kind. doubtful: it may leave a send's result unknown. kills: the process dies of it. dead: seconds of silence
    after which Discord's connection is given up; discord.py itself is silent for 5 after an op 9. declines: a message
    may be declined for it."""

    name: str
    platform: str
    body: Body
    doubtful: bool = False
    kills: bool = False
    dead: float = 60.0
    declines: bool = False


BOTH = ("discord", "telegram")
FAULTS: list[Fault] = []


def _fault(name: str, *platforms: str, doubtful: bool = False, kills: bool = False) -> Callable[[Body], Body]:
    def add(body: Body) -> Body:
        FAULTS.extend(Fault(name, one, body, doubtful, kills) for one in platforms or BOTH)
        return body

    return add


# what a platform answers to a post


def _once(
    run: Run, moments: tuple[str, str], answer: Callable[[web.Request], Awaitable[web.StreamResponse | None]]
) -> None:
    """Answer so, once, at this moment of a post. moments: Discord's and Telegram's names of it."""
    fake = run.discord if run.platform == "discord" else run.telegram
    moment = moments[0] if run.platform == "discord" else moments[1]

    async def trouble(now: str, request: web.Request) -> web.StreamResponse | None:
        if now != moment:
            return None
        fake.trouble = None
        return await answer(request)

    fake.trouble = trouble


BEFORE, AFTER = ("before post", "before sendMessage"), ("after post", "after sendMessage")


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def _cut_during(request: web.Request) -> web.StreamResponse:
    await request.read()
    return await _cut(request)


async def _half(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await answer.prepare(request)
    await answer.write(b'{"id": "1')
    return await _cut(request)


def _status(status: int, body: str = "{}", **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        kind = {"Content-Type": "application/json", **headers}
        return web.Response(body=body.encode(), status=status, headers=kind)

    return answer


def _post_fault(name: str, moments: tuple[str, str], answer: Any, *, doubtful: bool = True) -> None:
    async def body(run: Run) -> None:
        await run.ready()
        _once(run, moments, answer)
        for _ in range(run.around):
            await run.mention()

    FAULTS.extend(Fault(name, platform, body, doubtful) for platform in BOTH)


_post_fault("cut before a post", BEFORE, _cut)
_post_fault("cut during a post", BEFORE, _cut_during)
_post_fault("cut after a post", AFTER, _cut)
_post_fault("cut in the middle of an answer", AFTER, _half)
_post_fault("500 before a post", BEFORE, _status(500))
_post_fault("502 after a post", AFTER, _status(502, "<html>"))
_post_fault("malformed JSON", AFTER, _status(200, '{"ok": tru'))
_LIMIT = '{"message": "limited", "retry_after": 0.3, "global": false, "ok": false, "error_code": 429, "description": "Too Many"'
_post_fault("429 with headers", BEFORE, _status(429, _LIMIT + ', "parameters": {"retry_after": 1}}', Via="1.1 x"))
_post_fault("429 without headers", BEFORE, _status(429, "limited"))


_post_fault(
    "an answer the library can't parse",
    AFTER,
    _status(200, '{"id": "1", "type": 0, "ok": true, "result": {"message_id": 1}}'),
)


async def _late(_request: web.Request) -> None:
    await asyncio.sleep(2)


_post_fault("slow reply", AFTER, _late)


def _expressive_fault(name: str, said: str, moments: tuple[str, str], answer: Any, *, doubtful: bool = False) -> None:
    """A reaction or a sticker instead of words, and trouble around it. A reaction is there once, however often it is made;
    a sticker is a post."""

    async def body(run: Run) -> None:
        await run.ready()
        run.says(said)
        _once(run, moments, answer)
        for _ in range(run.around):
            await run.mention()

    FAULTS.extend(Fault(f"{said}: {name}", platform, body, doubtful) for platform in BOTH)


REACTING = ("before reaction", "before setMessageReaction")
REACTED = ("after reaction", "after setMessageReaction")
_expressive_fault("cut before it", "reaction", REACTING, _cut)
_expressive_fault("cut after it", "reaction", REACTED, _cut)
_expressive_fault("500 after it", "reaction", REACTED, _status(500))
_expressive_fault(
    "429", "reaction", REACTING, _status(429, _LIMIT + ', "parameters": {"retry_after": 1}}', Via="1.1 x")
)
_expressive_fault("cut before it", "sticker", ("before post", "before sendSticker"), _cut, doubtful=True)
_expressive_fault("cut after it", "sticker", ("after post", "after sendSticker"), _cut, doubtful=True)


@_fault("reaction: put off, then stopped and started")
async def reaction_put_off(run: Run) -> None:
    await run.ready()
    run.says("reaction")
    fake = run.discord if run.platform == "discord" else run.telegram

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        return await _status(500)(request) if moment in (*REACTING, *REACTED) else None

    fake.trouble = trouble
    for _ in range(run.around):
        await run.mention()
    await asyncio.sleep(run.random.random())
    await run.daemon.stop()
    fake.trouble = None
    await run.restart()


async def forbidden(run: Run) -> None:
    await run.ready()
    _once(
        run,
        BEFORE,
        _status(403, '{"ok": false, "error_code": 403, "description": "Forbidden: bot was kicked", "code": 50001}'),
    )
    for _ in range(run.around):
        await run.mention()


FAULTS.extend(Fault("403 on a post", platform, forbidden, declines=True) for platform in BOTH)


@_fault("a post that can't be noted")
async def not_noted(run: Run) -> None:
    await run.ready()
    left = [run.random.randrange(1, 4)]

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if left[0] and statement.startswith("UPDATE outbox") and "message_id" in statement:
            left[0] -= 1
            raise sqlite3.OperationalError("database is locked")

    sa.event.listen(run.resident.store.database.engine, "before_cursor_execute", fail)
    for _ in range(run.around):
        await run.mention()


@_fault("put off, then stopped and started", doubtful=True)  # it may be stopped while a request is on its way
async def put_off(run: Run) -> None:
    await run.ready()
    fake = run.discord if run.platform == "discord" else run.telegram

    async def trouble(moment: str, request: web.Request) -> web.StreamResponse | None:
        limit = _LIMIT + ', "parameters": {"retry_after": 1}}'
        return await _status(429, limit, Via="1.1 x")(request) if moment in BEFORE else None

    fake.trouble = trouble
    for _ in range(run.around):
        await run.mention()
    await asyncio.sleep(run.random.random())
    await run.daemon.stop()
    fake.trouble = None
    await run.restart()


# Discord's gateway


@_fault("op 7", "discord")
async def reconnect(run: Run) -> None:
    await run.ready()
    await run.discord.line.ask_to_reconnect()
    await _around(run)


@_fault("op 9 resumable", "discord")
async def invalid_resumable(run: Run) -> None:
    await run.ready()
    await run.discord.line.invalidate(resumable=True)
    await _around(run)


@_fault("op 9 not resumable", "discord")
async def invalid(run: Run) -> None:
    await run.ready()
    await run.discord.line.invalidate(resumable=False)
    await _around(run)


@_fault("gateway cut, resumed", "discord")
async def cut_line(run: Run) -> None:
    await run.ready()
    await run.discord.line.cut()
    await _around(run)


@_fault("gateway cut, not resumed", "discord")
async def lose_line(run: Run) -> None:
    await run.ready()
    await run.discord.line.cut(resumable=False)
    await _around(run)


async def deaf(run: Run) -> None:
    run.discord.line.interval = 400
    await run.ready()
    run.discord.line.deaf = True
    await asyncio.sleep(2.5)
    run.discord.line.deaf = False
    await _around(run)


FAULTS.append(Fault("missed heartbeats", "discord", deaf, dead=1.5))


@_fault("first connect refused", "discord")
async def refused(run: Run) -> None:
    await run.ready()
    run.discord.line.refuse = 1
    await run.discord.line.cut(resumable=False)
    await _around(run)


@_fault("events duplicated", "discord")
async def duplicated(run: Run) -> None:
    await run.ready()
    for _ in range(run.around):
        number = await run.mention()
        message = next(m for room in run.discord.messages.values() for m in room if m["id"] == number)
        for _ in range(3):
            await run.discord.tell("MESSAGE_CREATE", run.discord._event(message))


@_fault("events out of order", "discord")
async def out_of_order(run: Run) -> None:
    await run.ready()
    numbers = [await run.mention(live=False) for _ in range(run.around)]
    messages = [m for room in run.discord.messages.values() for m in room if m["id"] in numbers]
    run.random.shuffle(messages)
    for message in messages:
        await run.discord.tell("MESSAGE_CREATE", run.discord._event(message))


@_fault("events during catch-up", "discord")
async def during_catch_up(run: Run) -> None:
    await run.ready()
    caught = asyncio.Event()

    async def slow(moment: str, _request: web.Request) -> None:
        if moment == "before history":
            caught.set()
            await asyncio.sleep(0.3)

    run.discord.trouble = slow
    await run.daemon.stop()
    for _ in range(run.around):
        await run.mention(live=False)
    await run.restart()
    await caught.wait()
    for _ in range(run.around):
        await run.mention()
    await asyncio.sleep(0.5)
    run.discord.trouble = None


@_fault("the queue overflows", "discord")
async def overflow(run: Run) -> None:
    await run.ready()
    with closing(sqlite3.connect(run.folder / "alterego.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for number in range(60):
            await run.discord.say(f"noise {number}", channel=run.random.choice(run.discord.channels))
            if number % 20 == 19:
                await run.mention()
        other.execute("ROLLBACK")
    for number in range(60):  # newer ones, while it still has to read the dropped
        await run.discord.say(f"more noise {number}", channel=run.random.choice(run.discord.channels))
    await _around(run)


@_fault("pages missed", "discord")
async def pages_missed(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    for number in range(230):
        await run.discord.say(f"noise {number}", live=False)
        if number % 60 == 0:
            await run.mention(live=False)
    await run.restart()


@_fault("history fails during catch-up", "discord")
async def history_fails(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    await run.mention(live=False)
    _once(run, ("before history", ""), _status(500))
    await run.restart()
    await _around(run)


@_fault("unreadable message in history", "discord")
async def unreadable_in_history(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    await run.mention(live=False)
    await run.discord.say("unreadable", live=False, thread=None)
    await run.mention(live=False)
    await run.restart()
    await _around(run)


@_fault("unreadable live events", "discord")
async def unreadable_live(run: Run) -> None:
    await run.ready()
    await run.discord.tell("MESSAGE_REACTION_ADD", {"channel_id": run.discord.channels[0], "emoji": None})
    await run.discord.say("unreadable", thread=None)
    await _around(run)


async def _around(run: Run) -> None:
    """Mentions while the connection is in trouble and after it. A session that can be resumed is told of them later; one
    that can't, never."""
    for _ in range(run.around):
        await run.mention()
        await asyncio.sleep(run.random.random() * 0.3)


# Telegram's updates


def _update_fault(name: str, answer: Any) -> None:
    async def body(run: Run) -> None:
        await run.ready()
        _once(run, ("", "before getUpdates"), answer)
        run.telegram.push({"poll": {}})  # the poll that waits returns
        for _ in range(run.around):
            await run.mention()
            await asyncio.sleep(run.random.random() * 0.2)

    FAULTS.append(Fault(name, "telegram", body))


_update_fault("updates: 500", _status(500))
_update_fault("updates: cut", _cut)
_update_fault("updates: malformed", _status(200, "{"))
_update_fault(
    "updates: 429",
    _status(429, '{"ok": false, "error_code": 429, "description": "x", "parameters": {"retry_after": 1}}'),
)
_update_fault(
    "409 another poller",
    _status(409, '{"ok": false, "error_code": 409, "description": "Conflict: terminated by other"}'),
)


@_fault("webhook left behind", "telegram")
async def webhook(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    run.telegram.webhook = "https://old.example.org/"
    await run.mention()
    await run.restart()
    await _around(run)


@_fault("poison update", "telegram")
async def poison(run: Run) -> None:
    await run.ready()
    shapes: list[dict[str, Any]] = [
        {"message": {"message_id": "x"}},
        {"message": 7},
        {"edited_message": []},
        {"a": "\ud83d"},
    ]
    for shape in shapes:
        run.telegram.push(shape)
        await run.mention()


@_fault("updates told again", "telegram")
async def told_again(run: Run) -> None:
    await run.ready()
    for _ in range(run.around):
        await run.mention()
        run.telegram.push({key: value for key, value in run.telegram.updates[-1].items() if key != "update_id"})


@_fault("group moves", "telegram")
async def moves(run: Run) -> None:
    await run.ready()
    moved = (
        '{"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",'
    )
    _once(run, BEFORE, _status(400, moved + ' "parameters": {"migrate_to_chat_id": -100777}}'))
    run.telegram.groups = [GROUP]
    await run.mention()
    await run.settled()
    change = {"message_id": 9000, "date": 1, "chat": GROUP, "from": ALICE, "migrate_to_chat_id": -100777}
    run.telegram.push({"message": change})
    await run.telegram.wait_confirmed()
    run.telegram.groups = [{**GROUP, "id": -100777}]
    for _ in range(run.around):
        await run.mention()


# this machine


@_fault("clock jumps")
async def clock_jumps(run: Run) -> None:
    await run.ready()
    for off in (3600.0, -7200.0, 0.0):
        run.resident.clock.off = off
        await run.mention()
        await asyncio.sleep(0.1)


@_fault("full disk")
async def full_disk(run: Run) -> None:
    await run.ready()
    full = [True]

    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(
            f"PRAGMA max_page_count={1 if full[0] else 2**30}"
        )  # SQLite takes 1 for: no page more

    with closing(sqlite3.connect(run.folder / "alterego.db", isolation_level=None)) as other:
        other.execute("VACUUM")  # what migrations left free would be filled first
    sa.event.listen(run.resident.store.database.engine, "begin", limit)  # its connections stay open
    for _ in range(run.around):
        await run.mention(text="x" * 3500)
    await asyncio.sleep(1)
    full[0] = False


@_fault("locked database")
async def locked(run: Run) -> None:
    await run.ready()
    with closing(sqlite3.connect(run.folder / "alterego.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(run.around):
            await run.mention()
        await asyncio.sleep(run.random.choice((0.5, 1.0, 2.0)))
        other.execute("ROLLBACK")


@_fault("engine fails")
async def engine_fails(run: Run) -> None:
    await run.ready()
    run.resident.engine.failures = run.random.randrange(1, 8)
    for _ in range(run.around):
        await run.mention()


@_fault("inference server away")
async def server_away(run: Run) -> None:
    await run.ready()
    run.resident.engine.failures = 10**6
    for _ in range(run.around):
        await run.mention()
    await asyncio.sleep(1.5)
    run.resident.engine.failures = 0


@_fault("stopped and started")
async def restarted(run: Run) -> None:
    await run.ready()
    for _ in range(run.around):
        await run.mention()
    await run.daemon.stop()
    await run.mention(live=False)
    await run.restart()


@_fault("writes fail now and then")
async def writes_fail(run: Run) -> None:
    """One in a few, whatever it writes: those that shared its transaction are not to blame."""
    await run.ready()
    left = [run.random.randrange(3, 9)]

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if left[0] and statement.startswith(("INSERT", "UPDATE")) and run.random.random() < 0.3:
            left[0] -= 1
            raise sqlite3.OperationalError("disk I/O error")

    sa.event.listen(run.resident.store.database.engine, "before_cursor_execute", fail)
    for _ in range(3 * run.around):
        await run.mention()


@_fault("it introduces itself, and a post is cut", doubtful=True)
async def introduced(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    run.config.write_text(run.config.read_text().replace("[talk]\n", "[talk]\nintroduce = true\n"))
    await run.restart()
    _once(run, AFTER, _cut)
    for _ in range(run.around):
        await run.mention()


@_fault("roles can't be asked for during catch-up", "discord")
async def roles_fail(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    run.discord.roles = {"1": ["500000000000000001"]}
    run.config.write_text(run.config.read_text().replace("[discord]\n", "[discord]\nblock = [500000000000000001]\n"))
    for _ in range(run.around):
        await run.mention(live=False)
    _once(run, ("before member", ""), _status(503))
    await run.restart()
    await _around(run)


# kill -9 at each step of the way


def _kill_fault(name: str, kill_at: Callable[[Run], str], *, doubtful: bool = True) -> None:
    async def body(run: Run) -> None:
        await run.ready()
        await run.lodger.stop()
        run.lodger.kill_at = kill_at(run)
        for _ in range(run.around):
            await run.mention(live=False)
        await _until_killed(run)

    FAULTS.extend(Fault(name, platform, body, doubtful, kills=True) for platform in BOTH)


_kill_fault("kill -9 before a commit", lambda run: f"commit:{run.random.randrange(1, 22)}")
_kill_fault("kill -9 while sampling", lambda _: "engine", doubtful=False)


def _kill_at_post(name: str, moments: tuple[str, str]) -> None:
    async def body(run: Run) -> None:
        await run.ready()
        _once(run, moments, _killing(run))
        for _ in range(run.around):
            await run.mention()
        await run.lodger.killed()
        await run.lodger.start()

    FAULTS.extend(Fault(name, platform, body, True, kills=True) for platform in BOTH)


_kill_at_post("kill -9 when a post arrives", BEFORE)
_kill_at_post("kill -9 when a post is made", AFTER)


# speaking up, though nobody asked


def _unprompted_fault(name: str, trouble: Callable[[Run], object], *, doubtful: bool = True) -> None:
    """It dies between deciding to speak up and the note of its post. What it had decided to say it says once; for what it
    hadn't, nobody waits. trouble: called while it is stopped."""

    async def body(run: Run) -> None:
        await _resettled(run, "unprompted = 1.0")
        await run.ready()
        await run.lodger.stop()
        trouble(run)
        for _ in range(run.around):
            await run.mention(live=False, calls=False)
        await _until_killed(run)
        await run.decided()

    FAULTS.extend(Fault(f"speaking up: {name}", platform, body, doubtful, kills=True) for platform in BOTH)


_unprompted_fault("kill -9 before a commit", lambda run: _kill_at(run, f"commit:{run.random.randrange(4, 16)}"))
_unprompted_fault("kill -9 while sampling", lambda run: _kill_at(run, "engine"), doubtful=False)
_unprompted_fault("kill -9 when the post arrives", lambda run: _once(run, BEFORE, _killing(run)))
_unprompted_fault("kill -9 when the post is made", lambda run: _once(run, AFTER, _killing(run)))


# in the person's rhythm, where an answer waits for its time


def _rhythm_fault(name: str, trouble: Callable[[Run], object], *, doubtful: bool = True) -> None:
    """It dies while answers wait for the moment at which the person would turn to them, or at that moment. trouble: called
    while it is stopped, before it hears of them."""

    async def body(run: Run) -> None:
        await _resettled(run, 'rhythm = "mine"')
        await run.ready()
        await run.lodger.stop()
        trouble(run)
        for _ in range(run.around):
            await run.mention(live=False)
        await _until_killed(run)
        await run.mention()

    FAULTS.extend(Fault(f"its own rhythm: {name}", platform, body, doubtful, kills=True) for platform in BOTH)


_rhythm_fault("kill -9 before a commit", lambda run: _kill_at(run, f"commit:{run.random.randrange(1, 22)}"))
_rhythm_fault("kill -9 while sampling", lambda run: _kill_at(run, "engine"), doubtful=False)
_rhythm_fault("kill -9 when a post arrives", lambda run: _once(run, BEFORE, _killing(run)))
_rhythm_fault("kill -9 when a post is made", lambda run: _once(run, AFTER, _killing(run)))


async def waiting_killed(run: Run) -> None:
    """All of them wait, none is due."""
    await _resettled(run, 'rhythm = "mine"')
    await run.ready()
    for _ in range(run.around):
        await run.mention()
    await run.committed()
    run.lodger.kill()
    await run.lodger.killed()
    await run.mention(live=False)
    await run.lodger.start()


FAULTS.extend(Fault("its own rhythm: kill -9 while they wait", one, waiting_killed, True, kills=True) for one in BOTH)


@_fault("its own rhythm: the clock jumps")
async def rhythm_clock_jumps(run: Run) -> None:
    await run.ready()
    await run.daemon.stop()
    run.config.write_text(run.config.read_text().replace("[talk]\n", '[talk]\nrhythm = "mine"\nrhythm_cap = "3s"\n'))
    await run.restart()
    for off in (3600.0, -7200.0, 0.0):
        run.resident.clock.off = off
        await run.mention()
        await asyncio.sleep(0.1)
    await run.daemon.stop()
    await run.mention(live=False)
    await run.restart()


async def _resettled(run: Run, line: str) -> None:
    """Start a daemon of its own anew with a line more in [talk]."""
    run.config.write_text(run.config.read_text().replace("[talk]\n", f"[talk]\n{line}\n"))
    await run.lodger.stop()
    await run.lodger.start()


def _kill_at(run: Run, moment: str) -> None:
    run.lodger.kill_at = moment


async def _until_killed(run: Run) -> None:
    """Start it, let it die, and start it again."""
    await run.lodger.start()
    await run.lodger.killed(seconds=15)
    await run.lodger.stop()
    run.lodger.kill_at = ""
    await run.lodger.start()


def _killing(run: Run) -> Callable[[web.Request], Awaitable[None]]:
    async def kill(_request: web.Request) -> None:
        run.lodger.kill()

    return kill
