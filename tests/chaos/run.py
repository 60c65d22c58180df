"""One run: a platform, a daemon, mentions, a fault; and what became of every mention."""

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from tests.chaos.resident import Lodger, Resident, echo
from tests.fakes.fake_discord import ALICE, GUILD_ID, FakeDiscord
from tests.fakes.fake_telegram import ALICE as ADA
from tests.fakes.fake_telegram import GROUP, FakeTelegram

SETTINGS = '[persona]\nname = "Mara Voss"\n[talk]\ntyping = false\nmerge = "0s"\n'
_STICKER = {"id": "555", "name": "swan", "description": "", "tags": "🦢", "type": 2, "format_type": 1}
PATIENCE = 60.0  # seconds in which nothing happens any more; however long it takes on a busy machine
LONGEST_START = 600.0  # seconds until a daemon is connected
LATE = "newer waits"  # the reason of a verdict that is right for what waited for minutes


@dataclass
class Fate:
    """What became of a run's mentions. doubled: answered more than once. torn: half of an answer was posted. wrong: a
    verdict that doesn't fit the posts."""

    verdicts: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.torn or self.wrong)


class Run:
    """The world of one run. daemon: in this process unless it is to be killed. around: mentions around a fault."""

    def __init__(
        self, platform: str, folder: Path, random: Random, *, kills: bool, around: int = 3, dead: float = 60.0
    ) -> None:
        self.around = around
        self.platform = platform
        self.folder = folder
        self.random = random
        self.discord = FakeDiscord(channels=2)
        self.telegram = FakeTelegram()
        self.telegram.groups = [
            {**GROUP, "id": int(GROUP["id"]) - number} for number in range(40)
        ]  # 20 posts a minute each
        self.config = folder / "persona.toml"
        self.lodger = Lodger(self.config)
        self.resident = Resident(self.config, dead)
        self.daemon: Lodger | Resident = self.lodger if kills else self.resident
        self.mentions: dict[str, str] = {}
        self.expresses = ""  # instead of words: reaction or sticker
        self._spoken: set[str] = set()
        self.discord.stickers = [{**_STICKER, "available": True, "guild_id": GUILD_ID}]
        self._numbers = count(1)

    async def start(self) -> None:
        fake = self.discord if self.platform == "discord" else self.telegram
        await fake.start()
        self.config.write_text(SETTINGS + fake.settings)
        await self.daemon.start()
        if self.platform == "telegram":  # it sends what it has seen
            size = {"width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}
            for chat in self.telegram.groups:
                seen = {"file_id": "swan", "file_unique_id": "s", "emoji": "🦢", **size}
                self.telegram.say("", chat=chat, author={**ADA, "id": 999}, sticker=seen)

    async def stop(self) -> None:
        await self.daemon.stop()
        await (self.discord if self.platform == "discord" else self.telegram).stop()

    async def restart(self) -> None:
        """Start anew what was stopped."""
        words = self.resident.engine.words
        self.resident = self.daemon = self.resident.again()
        self.resident.engine.words = words
        await self.daemon.start()

    async def mention(self, *, live: bool = True, text: str = "", calls: bool = True) -> str:
        """Somebody new mentions it. calls: False, they ask it nothing. Returns the message's id."""
        number = next(self._numbers)
        said = f"mention {number} twice {text}".strip()
        if self.platform == "discord":
            author = {**ALICE, "id": str(int(ALICE["id"]) + 100 + number), "username": f"person{number}"}
            channel = self.random.choice(self.discord.channels)
            found = await self.discord.say(said, mention=calls, author=author, live=live, channel=channel)
        else:
            chat = self.random.choice(self.telegram.groups)
            found = str(self.telegram.say(said, mention=calls, author={**ADA, "id": 1000 + number}, chat=chat))
        self.mentions[found] = f"mention {number} "
        return found

    async def ready(self) -> None:
        """It is connected, and answers. On Discord a new account hears what is said from its first catch-up on."""
        async with asyncio.timeout(LONGEST_START):
            while (
                not self._rows("select account, connected_at from accounts where account <> ''")
                and self.platform == "discord"
            ):
                await asyncio.sleep(0.03)
        await self.mention()
        await self.settled()

    async def settled(self, seconds: float = PATIENCE) -> None:
        """Wait until every mention has its verdict, and every post its fate; or until nothing changed for so long."""
        before, since = None, time.monotonic()
        while not await asyncio.to_thread(self._is_settled):
            if (now := await asyncio.to_thread(self._progress)) != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > seconds:
                return  # judged as it is
            await asyncio.sleep(0.03)

    def _progress(self) -> object:
        """What changes as long as anything happens; also the work of a process that starts, before it writes anything."""
        rows = self._rows("select message_id, verdict from inbox"), self._rows("select id, state from outbox")
        return rows, len(self.posts()), self.lodger.worked() if self.daemon is self.lodger else 0

    async def committed(self, seconds: float = PATIENCE) -> None:
        """Wait until every mention has its row, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._rows("select message_id, verdict from inbox")) < len(self.mentions):
                    await asyncio.sleep(0.02)

    async def decided(self) -> None:
        """Leave out what it doesn't answer though nobody asked it: only what it decided to say is judged."""
        await asyncio.sleep(2)  # it decides at once, and what it read again after a restart too
        rows = {number.rpartition("/")[2] for number, _ in self._rows("select message_id, verdict from inbox")}
        self.mentions = {number: begins for number, begins in self.mentions.items() if number in rows}

    def _rows(self, query: str) -> list[tuple[str, str]]:
        path = self.folder / "alterego.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as store:
            try:
                return store.execute(query).fetchall()
            except sqlite3.OperationalError as error:  # being made, or locked by the fault
                return [] if "no such table" in str(error) else [("", "busy")]

    def _is_settled(self) -> bool:
        verdicts = {
            number.rpartition("/")[2]: verdict
            for number, verdict in self._rows("select message_id, verdict from inbox")
        }
        left = self._rows("select id, state from outbox where state in ('ready', 'sending')")
        return not left and all(verdicts.get(number) for number in self.mentions)

    def begin_anew(self) -> None:
        """What was said so far is judged; from now on it answers in words."""
        self.mentions.clear()
        self._spoken.clear()
        self.expresses = ""
        self.resident.engine.words = echo

    def says(self, what: str) -> None:
        """From now on answers are a reaction or a sticker. What it said before is judged as words."""
        self._spoken = set(self.mentions)
        self.expresses = what
        self.resident.engine.words = lambda _: {"reaction": "[react 👍]", "sticker": "[sticker 🦢]"}[what]

    def expressed(self, number: str) -> int:
        """How often a mention was reacted to, or answered by a sticker."""
        if self.expresses == "reaction":
            if self.platform == "discord":
                return [message for message, _ in self.discord.reactions].count(number)
            return sum(len(emoji) for (_, message), emoji in self.telegram.reactions.items() if str(message) == number)
        if self.platform == "discord":
            shown = [m for room in self.discord.messages.values() for m in room if m.get("sticker_items")]
            return sum(m.get("message_reference", {}).get("message_id") == number for m in shown)
        answers = (one.get("reply_parameters") or {} for one in self.telegram.sent if one.get("sticker"))
        return sum(str(answer.get("message_id")) == number for answer in answers)

    def posts(self) -> list[str]:
        """The texts that the platform shows."""
        if self.platform == "telegram":
            return [one["text"] for one in self.telegram.sent]
        return [m["content"] for room in self.discord.messages.values() for m in room if m["author"].get("bot")]

    def fate(self, *, doubtful: bool, declines: bool) -> Fate:
        """Judge. doubtful: the fault left a send's result unknown, so that Telegram's may be uncertain. declines: it is
        a reason not to answer."""
        rows = self._rows("select message_id, verdict from inbox")
        found, posts = Fate(), self.posts()
        late = {
            one.rpartition("/")[2]
            for one, reason in self._rows("select message_id, reason from inbox")
            if reason == LATE
        }
        for number, begins in self.mentions.items():
            verdicts = [verdict for message_id, verdict in rows if message_id.rpartition("/")[2] == number]
            shown, second = (sum(post.startswith(f"{word} {begins}") for post in posts) for word in ("re", "and"))
            if self.expresses and number not in self._spoken:
                shown = second = self.expressed(number)
            verdict = verdicts[0] if len(verdicts) == 1 and verdicts[0] else ""
            found.verdicts[verdict or "lost"] += 1
            found.lost += not verdict
            found.doubled += shown > 1 or second > 1
            found.torn += second > shown or (verdict == "answered" and second < shown and not declines)
            fits = {
                "answered": shown == 1,
                "uncertain": doubtful and self.platform == "telegram",
                "declined": (declines or number in late) and shown == 0,
            }
            if verdict and not fits.get(verdict, False):
                found.wrong.append(f"mention {number} is {verdict} and was posted {shown} times")
        return found
