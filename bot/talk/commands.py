"""The commands people may give the bot, the same on every platform. Rights are checked here again, even if the platform
has checked them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.gateway import COMMANDS, Command, CommandHelp, Gateway, NotSent, ResultUnknown, Undeliverable
from bot.store import EVERYWHERE, LOGGED, BotStore, OutgoingPart, Post, Receipt
from bot.talk import delivery
from bot.talk.corrections import instead
from bot.talk.introduction import about, introduction, privacy
from bot.talk.noting import remembered
from bot.talk.places import Places
from bot.talk.proactive_posts import ProactivePosts
from engine.base import EngineError
from persona.config import Settings
from persona.events import Event
from persona.transcript import SCENES
from persona.values import duration

log = logging.getLogger("alterego.commands")

SECONDS_TO_SPEAK = 60.0  # what an engine gets; nobody waits longer for what they asked for
GREETINGS = ("start", "help")  # what Telegram's apps offer with every bot
_RANK = {"anyone": 0, "moderator": 1, "owner": 2}
_QUIET = "1h"  # for which /quiet holds where nothing is said of it
_WIDE = ("server", "group")  # said to /quiet, it holds in all of one
_NOT_MINE = "I didn't say that, or so long ago that I have forgotten it."
_NOT_KEPT = (
    "I don't know how I came to say that, so I can't learn from it. With [talk] feedback = true in persona.toml I keep "
    "that of all I say from then on."
)

Result = tuple[str, list[Post]]


class Commands:
    """Runs commands of one gateway. status: the daemon's state, in a few lines. version: of the adapter that speaks."""

    def __init__(
        self,
        store: BotStore,
        settings: Settings,
        places: Places,
        proactive: ProactivePosts,
        gateway: Gateway,
        status: Callable[[], Awaitable[str]],
        version: str = "",
    ) -> None:
        self._store = store
        self._settings = settings
        self._places = places
        self._proactive = proactive
        self._gateway = gateway
        self._status = status
        self._version = version
        self._does: dict[str, Callable[[str, Command], Awaitable[Result | str]]] = {
            "about": self._about,
            "privacy": self._privacy,
            "optout": self._optout,
            "optin": self._optin,
            "forget": self._forget,
            "takeback": self._take_back,
            "quiet": self._quiet,
            "tweet": self._tweet,
            "reset": self._reset,
            "pause": self._pause,
            "resume": self._resume,
            "status": self._tell_status,
            "remember": self._remember,
            "say": self._say,
            "notme": self._not_me,
        }

    async def obey(self, account: str, command: Command) -> Result:
        """Run a command, if its author may give it. Returns what to tell them, and the posts to make."""
        if command.name in GREETINGS:
            return self._greeting(command), []
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
        answer, posts = (result, []) if isinstance(result, str) else result
        return answer, [*posts, *await self._logged(account, command, known)]

    def _greeting(self, command: Command) -> str:
        """Return what somebody is told who asks how this goes: what it is, and what they may tell it."""
        offered = [known for known in COMMANDS if _RANK[known.right] <= _RANK[command.right]]
        about_it = about(self._settings.persona.name, self._settings.store.keep_days)
        return "\n".join([f"Hello! {about_it}", "", *(f"/{known.name}: {known.summary}" for known in offered)])

    async def _logged(self, account: str, command: Command, known: CommandHelp) -> list[Post]:
        """Return the line for the moderators' log, if there is one; of what people do for themselves nobody is told."""
        channel = self._places.talk(command.channel).log
        is_told = known.right != "anyone" or known.name == "takeback"
        if not (is_told and channel.startswith(f"{_platform(account)}:")):
            return []
        own = known.name in ("notme", "remember")  # an owner's own words are for it alone
        argument = "" if own else command.argument[:80]
        said = f"/{known.name} {argument}".strip()
        if self._gateway.limits.markup == "markdown":  # Discord shows names for these, and nobody is pinged
            text = f"<@{command.author_id}> gave {delivery.escaped(said, 'markdown')} in <#{command.channel.split(':')[1]}>"
        else:
            text = f"{command.author_id} gave {said} in {command.channel}"
        return await self._store.outbox.put(account, channel, f"{LOGGED}{command.id}", [OutgoingPart(text, ())])

    async def _about(self, account: str, command: Command) -> str:
        says = about(self._settings.persona.name, self._settings.store.keep_days, self._version)
        place = (account, command.channel, command.target)
        said_by = await self._store.outbox.adapter_of(*place) if command.target else ""
        return f"{says} Version {said_by} said this." if said_by else says

    async def _privacy(self, _account: str, command: Command) -> str:
        return privacy(self._settings.store.keep_days, self._places.talk(command.channel).feedback)

    async def _optout(self, account: str, command: Command) -> str:
        receipt = await self._store.people.opt_out(_platform(account), command.author_id)
        return f"{receipt_text(receipt)} From now on I neither store nor answer your messages. /optin takes this back."

    async def _optin(self, account: str, command: Command) -> str:
        back = await self._store.people.opt_in(_platform(account), command.author_id)
        return "I listen to you again." if back else "You had not opted out: I listen to you."

    async def _forget(self, account: str, command: Command) -> str:
        return receipt_text(await self._store.people.forget(_platform(account), command.author_id))

    async def _take_back(self, account: str, command: Command) -> str:
        """Delete an answer with all its posts. Moderators may, and whoever was answered."""
        place = (account, command.channel)
        answer = await self._store.outbox.answer_with(*place, command.target)
        if answer is None:
            return "I didn't say that." if command.target else "I said nothing here that I could take back."
        if command.right == "anyone" and command.author_id != answer.author_id and not command.is_dm:
            return "Only moderators and the person I answered can have that taken back."
        await self._store.outbox.give_up_rest(*place, answer.origin)
        try:
            for message_id in answer.message_ids:
                await self._gateway.delete(command.channel, message_id)
        except (NotSent, Undeliverable, ResultUnknown) as error:
            log.warning(Event("not taken back", channel=command.channel, reason=error))
            return "I could not delete it. Delete it yourself, or try again later."
        await self._store.outbox.forget_answer(*place, answer)
        return "Taken back, and forgotten."

    async def _not_me(self, account: str, command: Command) -> str:
        """Keep that the persona would not have said an answer, and what it would have said."""
        place, words = (account, command.channel), instead(command.argument)
        answer = await self._store.outbox.answer_with(*place, command.target)
        if answer is None:
            return _NOT_MINE if command.target else "I said nothing here that I remember."
        kept = await self._store.feedback.correct(
            *place, answer.origin, answer.message_ids[0], command.author_id, words
        )
        log.info(Event("corrected", channel=command.channel, kept=kept is not None, words=bool(words)))
        if kept is None:
            return _NOT_KEPT
        again = " That replaces what you thought of it before." if kept else ""
        return f"{'Kept: that is what you would say.' if words else 'Kept: you would not say that.'}{again}"

    async def _quiet(self, account: str, command: Command) -> str:
        words = command.argument.lower().split()
        wide = any(word in _WIDE for word in words)
        wanted = "".join(word for word in words if word not in _WIDE) or _QUIET
        channel = command.inside[-1] if wide and command.inside else command.channel
        where = "in all of this server" if wide else "here"
        try:
            span = duration(0 if wanted == "0" else wanted)
        except ValueError:
            return f"/quiet takes a time, such as 30m or 2h; {wanted[:40]!r} is none."
        if not span:
            return await self._unsilenced(account, channel, command.channel, where)
        until = self._store.clock() + span.total_seconds()
        await self._store.channels.silence(account, channel, until)
        return f"I am quiet {where} until {_moment(until)}. /quiet 0{' server' if wide else ''} ends it."

    async def _unsilenced(self, account: str, channel: str, here: str, where: str) -> str:
        ended = await self._store.channels.unsilence(account, channel)
        if await self._store.channels.is_silent(account, here):
            return "I am still quiet here: /quiet 0 server, or /resume, ends what holds in more than this channel."
        return f"I speak {where} again." if ended else f"I was not quiet {where}."

    async def _tweet(self, account: str, command: Command) -> Result:
        return await self._speak(account, command, "timeline")

    async def _remember(self, account: str, command: Command) -> str:
        return await remembered(self._store, command.argument, f"{_platform(account)}:{command.author_id}")

    async def _say(self, account: str, command: Command) -> Result:
        scene = command.argument.strip().lower() or "timeline"
        if scene not in SCENES:
            return f"/say takes a scene: {', '.join(SCENES)}.", []
        return await self._speak(account, command, scene)

    async def _speak(self, account: str, command: Command, scene: str) -> Result:
        try:
            async with asyncio.timeout(SECONDS_TO_SPEAK):
                post = await self._proactive.words(scene, account, command.channel)
        except (EngineError, TimeoutError):
            return "I can't think of anything: what I think with gives no answer. Try again later.", []
        talk, limits = self._places.talk(command.channel), self._gateway.limits
        parts = delivery.posts(post.lines, limits, bursts=talk.bursts and scene != "timeline")
        if not parts:
            return "Nothing new came to my mind. Try again.", []
        if talk.introduce:
            name = self._settings.persona.name
            parts = [*await introduction(self._store, name, limits, account, command.channel), *parts]
        origin = f"command:{command.id}"
        kept = post.answer if limits.owner_alone else self._proactive.kept_of(post, command.channel)
        posts = await self._store.outbox.put(account, command.channel, origin, parts, kept)
        if scene == "timeline":
            await self._store.timetable.keep("\n".join(post.lines))
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
        "quotes by others": receipt.quotes,
        "notes": receipt.notes,
    }
    gone = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return f"Forgotten of {receipt.who} at {_moment(receipt.at)}: {gone}."


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _debugging() -> bool:
    return log.isEnabledFor(logging.DEBUG)


def _platform(account: str) -> str:
    return account.partition(":")[0]
