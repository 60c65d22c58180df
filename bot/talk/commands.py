"""The commands people may give the bot, the same on every platform. Rights are checked here again, even if the platform
has checked them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.gateway import COMMANDS, Command, Limits
from bot.store import EVERYWHERE, BotStore, Post, Receipt
from bot.talk import delivery
from bot.talk.proactive_posts import ProactivePosts
from engine.base import EngineError
from persona.config import Settings
from persona.events import Event
from persona.transcript import SCENES
from persona.values import duration

log = logging.getLogger("alterego.commands")

SECONDS_TO_SPEAK = 60.0  # what an engine gets; nobody waits longer for what they asked for
_RANK = {"anyone": 0, "moderator": 1, "owner": 2}
_QUIET = "1h"  # for which /quiet holds where nothing is said of it

Result = tuple[str, list[Post]]


class Commands:
    """Runs commands. limits: of the platform. status: the daemon's state, in a few lines."""

    def __init__(
        self,
        store: BotStore,
        settings: Settings,
        proactive: ProactivePosts,
        limits: Limits,
        status: Callable[[], Awaitable[str]],
    ) -> None:
        self._store = store
        self._settings = settings
        self._proactive = proactive
        self._limits = limits
        self._status = status
        self._does: dict[str, Callable[[str, Command], Awaitable[Result | str]]] = {
            "about": self._about,
            "optout": self._optout,
            "optin": self._optin,
            "forget": self._forget,
            "quiet": self._quiet,
            "tweet": self._tweet,
            "reset": self._reset,
            "pause": self._pause,
            "resume": self._resume,
            "status": self._tell_status,
            "say": self._say,
        }

    async def obey(self, account: str, command: Command) -> Result:
        """Run a command, if its author may give it. Returns what to tell them, and the posts to make."""
        known = next((offered for offered in COMMANDS if offered.name == command.name), None)
        if known is None:
            return f"There is no /{command.name[:32]}. /about says what this is.", []
        if _RANK[command.right] < _RANK[known.right]:
            return f"/{known.name} is for {known.right}s.", []
        try:
            result = await self._does[known.name](account, command)
        except (
            Exception
        ) as error:  # the one broad catch of the commands: Telegram would tell the same one again for ever
            log.warning(Event("command failed", name=known.name, kind=type(error).__name__), exc_info=_debugging())
            return "That did not work. My log says why; try again later.", []
        return (result, []) if isinstance(result, str) else result

    async def _about(self, _account: str, _command: Command) -> str:
        name = self._settings.persona.name
        days = self._settings.store.keep_days
        return (
            f"I am a program that imitates {name}, trained on what {name} wrote. I am not {name}, and what I say was "
            f"never said by anybody. I remember what is said here for {days:g} days, so that I can answer, and nothing "
            "else is done with it. /optout: I neither store nor answer your messages. /forget: I forget them now."
        )

    async def _optout(self, account: str, command: Command) -> str:
        receipt = await self._store.people.opt_out(_platform(account), command.author_id)
        return f"{receipt_text(receipt)} From now on I neither store nor answer your messages. /optin takes this back."

    async def _optin(self, account: str, command: Command) -> str:
        back = await self._store.people.opt_in(_platform(account), command.author_id)
        return "I listen to you again." if back else "You had not opted out: I listen to you."

    async def _forget(self, account: str, command: Command) -> str:
        return receipt_text(await self._store.people.forget(_platform(account), command.author_id))

    async def _quiet(self, account: str, command: Command) -> str:
        try:
            span = duration(command.argument.strip() or _QUIET) if command.argument.strip() != "0" else duration(0)
        except ValueError:
            return f"/quiet takes a time, such as 30m or 2h; {command.argument[:40]!r} is none."
        if not span:
            ended = await self._store.channels.unsilence(account, command.channel)
            return "I speak here again." if ended else "I was not quiet here."
        until = self._store.clock() + span.total_seconds()
        await self._store.channels.silence(account, command.channel, until)
        return f"I am quiet here until {_moment(until)}. /quiet 0 ends it."

    async def _tweet(self, account: str, command: Command) -> Result:
        return await self._speak(account, command, "timeline")

    async def _say(self, account: str, command: Command) -> Result:
        scene = command.argument.strip().lower() or "timeline"
        if scene not in SCENES:
            return f"/say takes a scene: {', '.join(SCENES)}.", []
        return await self._speak(account, command, scene)

    async def _speak(self, account: str, command: Command, scene: str) -> Result:
        try:
            async with asyncio.timeout(SECONDS_TO_SPEAK):
                lines = await self._proactive.words(scene, account, command.channel)
        except (EngineError, TimeoutError):
            return "I can't think of anything: what I think with gives no answer. Try again later.", []
        parts = delivery.posts(lines, self._limits, bursts=self._settings.talk.bursts and scene != "timeline")
        if not parts:
            return "Nothing new came to my mind. Try again.", []
        origin = f"command:{command.id}"
        posts = await self._store.outbox.put(account, command.channel, origin, parts)
        if scene == "timeline":
            await self._store.timetable.keep("\n".join(lines))
        return "Said.", posts

    async def _reset(self, account: str, command: Command) -> str:
        gone = await self._store.memory.reset(account, command.channel)
        return f"I forgot {gone} {'message' if gone == 1 else 'messages'} of this channel."

    async def _pause(self, account: str, _command: Command) -> str:
        await self._store.channels.silence(account, EVERYWHERE, None)
        return "I am quiet everywhere, until /resume. I go on listening."

    async def _resume(self, account: str, _command: Command) -> str:
        ended = await self._store.channels.unsilence(account, EVERYWHERE)
        return "I speak again." if ended else "I was not paused."

    async def _tell_status(self, _account: str, _command: Command) -> str:
        return await self._status()


def receipt_text(receipt: Receipt) -> str:
    """Return a sentence that says what was forgotten."""
    if not receipt.rows:
        return f"Nothing was stored of {receipt.who}."
    counts = {
        "messages": receipt.messages,
        "verdicts": receipt.verdicts,
        "names": receipt.names,
        "rated or ratable answers": receipt.feedback,
        "unreadable updates": receipt.updates,
        "replies": receipt.replies,
        "marks of private channels": receipt.marks,
    }
    gone = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return f"Forgotten of {receipt.who} at {_moment(receipt.at)}: {gone}."


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _debugging() -> bool:
    return log.isEnabledFor(logging.DEBUG)


def _platform(account: str) -> str:
    return account.partition(":")[0]
