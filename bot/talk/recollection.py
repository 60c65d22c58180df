"""What comes to mind before an answer: the bundle's archive, the persona's notes, and what was said earlier in that very channel.

Found outside the event loop, within a time: an answer without memories is better than a late one.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from bot.store import BotStore, HistoryMessage, Note, PendingMessage
from bot.talk.channel_index import ChannelIndex
from bot.talk.history import ThreadContext, scene_of
from bot.talk.places import Places
from bot.talk.speakers import known_key
from bot.tasks import in_daemon_thread
from engine.voice import Voice
from persona.archive.index import Archive
from persona.archive.indexed_passage import IndexedPassage
from persona.archive.passages import passages_of
from persona.archive.ranking import Cue
from persona.archive.recall import recall_passages
from persona.config import Settings
from persona.errors import UserError
from persona.events import Event
from persona.transcript import Conversation, Excerpt, Quote, Turn
from persona.word_tokens import word_tokens

log = logging.getLogger("alterego.recollection")

RECALL_SECONDS = 2.0  # that may pass; with a full channel it is about a hundredth, at the first look-up a few
MAX_MESSAGES = 1000  # of a channel that are looked through, the newest
MAX_CHARACTERS = 200_000  # of these, the newest: three times as much as a usual thousand has
MIN_WORDS_NOT_REPEATED = 6  # of a remembered line that must not be said again word for word, as of the copy guard


@dataclass(frozen=True, slots=True)
class Recalled:
    """What came to mind. excerpts: as a prompt takes them. heard: messages of the channel by those who speak in
    them. lines: of the channel that would be a repetition word for word."""

    excerpts: tuple[Excerpt, ...] = ()
    heard: tuple[HistoryMessage, ...] = ()
    lines: tuple[str, ...] = ()


class Recollection:
    """Asks the archive of a voice, its notes, and the channels of one store."""

    def __init__(self, store: BotStore, voice: Voice, settings: Settings, places: Places) -> None:
        self._store = store
        self._voice = voice
        self._settings = settings
        self._places = places
        self._archive = voice.archive or Archive.empty()
        self._channels = ChannelIndex()

    async def before_reply(
        self, pending: PendingMessage, context: ThreadContext, turns: Sequence[Turn], quote: Quote | None
    ) -> Recalled:
        """Return what comes to mind before an answer to `pending`. context: what is shown already. turns, quote: of the
        prompt. Nothing if it is switched off there, or takes too long."""
        seal, platform = self._voice.seal, pending.account.partition(":")[0]
        other = known_key(self._settings, seal, platform, pending.author_id) if pending.is_dm else None
        scene = scene_of(seal, pending.is_dm)
        return await self._in_time(
            pending.account, pending.channel, Cue(turns, quote, dm=other or ""), context.heard, scene
        )

    async def before_post(
        self, account: str, channel: str, scene: str, shown: Sequence[HistoryMessage], turns: Sequence[Turn]
    ) -> Recalled:
        """Return what comes to mind before the persona speaks up by itself: by the words that were said there last, if any
        were. No DM of the archive, since nobody in particular is spoken to."""
        return await self._in_time(account, channel, Cue(turns), shown, scene) if turns else Recalled()

    async def _in_time(
        self, account: str, channel: str, cue: Cue, shown: Sequence[HistoryMessage], scene: str
    ) -> Recalled:
        if not self._places.talk(channel).memory:
            return Recalled()
        try:
            async with asyncio.timeout(RECALL_SECONDS):
                return await self._recalled(account, channel, cue, shown, scene)
        except TimeoutError:
            log.warning(Event("nothing recalled", channel=channel, reason="it took too long"))
        except UserError as error:
            log.warning(Event("nothing recalled", channel=channel, reason=error))
        return Recalled()

    async def _recalled(
        self, account: str, channel: str, cue: Cue, shown: Sequence[HistoryMessage], scene: str
    ) -> Recalled:
        notes = await self._store.notes.all()
        heard: list[HistoryMessage] = []
        if len(self._archive):  # only then was the adapter trained to read what others said before
            heard = newest(await self._store.memory.latest(account, channel, MAX_MESSAGES), MAX_CHARACTERS)
        if not (notes or heard or len(self._archive)):
            return Recalled()
        ids = {message.message_id for message in shown}
        return await in_daemon_thread(lambda: self._search(cue, f"{account} {channel}", heard, ids, scene, notes))

    def _search(
        self,
        cue: Cue,
        channel: str,
        heard: Sequence[HistoryMessage],
        shown: Collection[str],
        scene: str,
        notes: Sequence[Note],
    ) -> Recalled:
        voice, here = self._voice, self._channels.passages(channel, heard, shown, scene)
        own_words = own_notes(voice.seal.speaker, notes)
        chosen = [
            each.passage
            for each in recall_passages(self._archive, cue, voice.encoding, voice.seal.max_length, here, own_words)
        ]
        own = [passage for passage in chosen if any(passage is each.passage for each in here)]
        speakers = {turn.speaker for passage in own for turn in passage.turns}
        return Recalled(
            tuple(passage.excerpt for passage in chosen),
            tuple({message.speaker: message for message in heard if message.speaker in speakers}.values()),
            tuple(
                line
                for passage in own
                for turn in passage.turns
                for line in turn.lines
                if len(word_tokens(line)) >= MIN_WORDS_NOT_REPEATED
            ),
        )


def newest(heard: Sequence[HistoryMessage], characters: int) -> list[HistoryMessage]:
    """Return the last messages that have so many characters together. heard: oldest first."""
    totals = accumulate(sum(map(len, message.lines)) for message in reversed(heard))
    count = sum(1 for _ in takewhile(lambda total: total <= characters, totals))
    return list(heard[len(heard) - count :])


def own_notes(persona: str, notes: Sequence[Note]) -> list[IndexedPassage]:
    """Return the persona's notes as passages of one turn."""
    return [
        IndexedPassage.of(passage)
        for note in notes
        for passage in passages_of(Conversation("timeline", (Turn(persona, (note.words,)),)), (note.at,))
    ]
