"""Checks settings, bundle, engine, store, disk, clock and platforms; says how to mend what keeps the bot from speaking."""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp

from bot.enabled_gateways import gateways_of
from bot.gateway import Finding
from bot.logs import hide
from bot.store import BotStore
from bot.store.address import has_store, store_url
from bot.talk.pace import NO_TIMING
from bot.talk.turn_taking import NO_THRESHOLD
from engine.base import EngineError, Request, complete
from engine.choose import open_voice
from engine.voice import Voice
from persona.bundle import current
from persona.config import Settings
from persona.credentials import NAMES, secret
from persona.errors import UserError
from persona.events import Event
from persona.out_of_memory import NO_MEMORY, is_out_of_memory
from persona.prompt import tweet_prompt
from persona.sampling import SamplingParams
from persona.transcript import Turn

log = logging.getLogger("alterego.doctor")

ROOM = 500 * 2**20  # bytes of free disk below which a store may soon fail to write
SKEW = 30.0  # seconds that the clock may be wrong: verdicts expire and tweets fall due by it


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """One finding after the other, as they are made."""
    for check in (_settings, _bundle, _engine, _disk, _store, _platforms, _clock):
        try:
            for finding in await check(settings):
                yield finding
        except UserError as fault:  # its sentence says how to mend it
            yield Finding(check.__name__.strip("_"), False, str(fault))
        except Exception as error:  # the one broad catch of the doctor: what else is wrong must still be found
            log.debug(Event("check failed", name=check.__name__), exc_info=True)
            if is_out_of_memory(error):
                yield Finding(check.__name__.strip("_"), False, NO_MEMORY)
                continue
            mend = "run 'python -m bot doctor --debug', which says more"
            yield Finding(check.__name__.strip("_"), False, f"{type(error).__name__}", mend)


async def _settings(settings: Settings) -> list[Finding]:
    hide([secret(name, settings) or "" for name in NAMES])
    return [Finding("settings", True, str(settings.path))]


async def _bundle(settings: Settings) -> list[Finding]:
    bundle = await asyncio.to_thread(current, settings.adapters)
    return [Finding("bundle", True, f"{bundle.seal.speaker}, version {bundle.version}, sealed {bundle.seal.created}")]


async def _engine(settings: Settings) -> list[Finding]:
    """Asks it for a word: a server that is away can be opened all the same."""
    began = time.monotonic()
    voice = await asyncio.to_thread(open_voice, settings)
    name = voice.engine.name
    try:
        await voice.engine.start()
        ids = tweet_prompt(voice.encoding, voice.seal)
        await complete(voice.engine, Request(ids, SamplingParams(max_new_tokens=1), seed=0))
        talking = [await unprompted_finding(voice)] if settings.wants_unprompted else []
        talking += [rhythm_finding(voice)] if settings.wants_rhythm else []
    except EngineError as error:
        mend = "start it, or mend [engine] url" if name == "server" else "choose another [engine] kind"
        return [Finding("engine", False, f"{name} gives no answer: {error}", mend)]
    finally:
        await voice.engine.close()
    return [Finding("engine", True, f"{name} speaks as the adapter; {time.monotonic() - began:.1f} s"), *talking]


async def unprompted_finding(voice: Voice) -> Finding:
    """Return whether it can speak without being asked, as the settings want it to."""
    if voice.seal.speaking_up is None:
        return Finding("unprompted", False, *NO_THRESHOLD.split("; "))
    try:
        await voice.next_speaker("group", (Turn("SOMEBODY", ("hello",)),))
    except EngineError as error:
        mend = (
            "use an engine that tells them (vLLM, llama-server, or one of this machine), or set [talk] unprompted = 0"
        )
        return Finding("unprompted", False, f"the engine can't tell who speaks next: {error}", mend)
    return Finding("unprompted", True, f"the person spoke after {voice.seal.speaking_up.rate:.0%} of others' messages")


def rhythm_finding(voice: Voice) -> Finding:
    """Return whether it can take the person's time, as the settings want it to."""
    if not voice.timing or not voice.timing.delays:
        return Finding("rhythm", False, *NO_TIMING.split("; "))
    usual = voice.timing.delay(is_hot=True, characters=0, draw=0.5)
    return Finding("rhythm", True, f"in the middle of a talk the person takes {usual:.0f} s")


async def _disk(settings: Settings) -> list[Finding]:
    free = shutil.disk_usage(settings.state).free
    mend = "" if free >= ROOM else f"make room on the disk of {settings.state}"
    return [Finding("disk", free >= ROOM, f"{free / 2**30:.1f} GiB free", mend)]


async def _store(settings: Settings) -> list[Finding]:
    url = store_url(settings)
    if not has_store(url, settings.state):
        return [Finding("store", True, "none yet; the first start makes it")]
    store = await BotStore.open(url, settings.state)
    try:
        verdicts = await store.inbox.verdicts()
        requests = await store.people.access_requests()
    finally:
        await store.close()
    counts = ", ".join(f"{name} {count}" for name, count in sorted(verdicts.items())) or "nothing yet"
    findings = [Finding("store", True, counts)]
    for account, requester in requests:
        platform, (conversation_type, _, number) = account.partition(":")[0], requester.partition(":")
        key = "users" if conversation_type == "user" else "chats"
        mend = f"to let it in, put {number} into [{platform}] {key}"
        findings.append(Finding("knock", True, f"{platform} {conversation_type} {number} wrote and isn't let in", mend))
    return findings


async def _platforms(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    for gateway in gateways_of(settings):
        targets = settings.tweets.to if settings.tweets.enabled else ()
        findings += await gateway.examine([to for to in targets if to.startswith(f"{gateway.platform}:")])
    return findings


async def _clock(settings: Settings) -> list[Finding]:
    """Compare this machine's clock with the platforms', which their answers tell."""
    bases = [settings.section_of(platform).api_base for platform in settings.enabled_platforms]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        for base in bases:
            try:
                async with session.get(base) as answer:
                    theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
            except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
                continue
            off = abs(time.time() - theirs)
            mend = "" if off <= SKEW else "set the clock: timedatectl set-ntp true"
            return [Finding("clock", off <= SKEW, f"{off:.0f} s off", mend)]
    return []
