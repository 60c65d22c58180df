"""What comes to mind before an answer: the bundle's archive, the persona's notes, and what was said earlier in that very channel.

Found outside the event loop, within a time: an answer without memories is better than a late one.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bot.store import BotStore, HistoryMessage, Note, PendingMessage
from bot.talk.history import ThreadContext, scene_of
from bot.talk.places import Places
from bot.talk.speakers import known_key
from bot.tasks import in_daemon_thread
from engine.voice import Voice
from persona.archive.index import Archive
from persona.archive.passages import Passage, passages_of
from persona.archive.ranking import Cue
from persona.archive.recall import recall_passages
from persona.config import Settings
from persona.errors import UserError
from persona.events import Event
from persona.markers import is_reaction
from persona.transcript import Conversation, Excerpt, Quote, Turn
from persona.word_tokens import word_tokens

log = logging.getLogger("alterego.recollection")

RECALL_SECONDS = 2.0  # that may pass; with a full channel it is about a tenth, less in a quiet one
MAX_MESSAGES = 1000  # of a channel that are looked through, the newest
PAUSE_SECONDS = 3600.0  # after which something else is talked about
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

    async def before_reply(
        self, pending: PendingMessage, context: ThreadContext, turns: Sequence[Turn], quote: Quote | None
    ) -> Recalled:
        """Return what comes to mind before an answer to `pending`. context: what is shown already. turns, quote: of the
        prompt. Nothing if it is switched off there, or takes too long."""
        if not self._places.talk(pending.channel).memory:
            return Recalled()
        try:
            async with asyncio.timeout(RECALL_SECONDS):
                return await self._recalled(pending, context, turns, quote)
        except TimeoutError:
            log.warning(Event("nothing recalled", channel=pending.channel, reason="it took too long"))
        except UserError as error:
            log.warning(Event("nothing recalled", channel=pending.channel, reason=error))
        return Recalled()

    async def _recalled(
        self, pending: PendingMessage, context: ThreadContext, turns: Sequence[Turn], quote: Quote | None
    ) -> Recalled:
        notes = await self._store.notes.all()
        heard: list[HistoryMessage] = []
        if len(self._archive):  # only then was the adapter trained to read what others said before
            heard = await self._store.memory.latest(pending.account, pending.channel, MAX_MESSAGES)
        if not (notes or heard or len(self._archive)):
            return Recalled()
        seal = self._voice.seal
        platform = pending.account.partition(":")[0]
        other = known_key(self._settings, seal, platform, pending.author_id) if pending.is_dm else None
        shown = {message.message_id for message in context.heard}
        scene = scene_of(seal, pending.is_dm)
        search = partial(
            self._search, Cue(turns, quote, dm=other or ""), heard, shown, scene, own_notes(seal.speaker, notes)
        )
        return await in_daemon_thread(search)

    def _search(
        self,
        cue: Cue,
        heard: Sequence[HistoryMessage],
        shown: Collection[str],
        scene: str,
        notes: Sequence[Passage],
    ) -> Recalled:
        passages = list(channel_passages(heard, shown, scene))
        voice = self._voice
        chosen = [
            each.passage
            for each in recall_passages(self._archive, cue, voice.encoding, voice.seal.max_length, passages, notes)
        ]
        own = [passage for passage in chosen if any(passage is each for each in passages)]
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


def own_notes(persona: str, notes: Sequence[Note]) -> list[Passage]:
    """Return the persona's notes as passages of one turn."""
    return [
        passage
        for note in notes
        for passage in passages_of(Conversation("timeline", (Turn(persona, (note.words,)),)), (note.at,))
    ]


def channel_passages(heard: Sequence[HistoryMessage], shown: Collection[str], scene: str) -> Iterator[Passage]:
    """Yield the passages of what was said in a channel, without what is shown; cut where somebody paused. heard: oldest
    first. shown: ids of messages."""
    talk: list[HistoryMessage] = []
    for message in heard:
        is_shown = message.message_id in shown
        if talk and (is_shown or message.at - talk[-1].at > PAUSE_SECONDS):
            yield from _passages(talk, scene)
            talk = []
        if not is_shown and message.lines and not is_reaction(message.lines):
            talk.append(message)
    yield from _passages(talk, scene)


def _passages(talk: Sequence[HistoryMessage], scene: str) -> Iterator[Passage]:
    turns: list[Turn] = []
    times: list[float] = []
    for message in talk:
        if turns and turns[-1].speaker == message.speaker:
            turns[-1] = Turn(message.speaker, turns[-1].lines + message.lines)
        else:
            turns.append(Turn(message.speaker, message.lines))
            times.append(message.at)
    return passages_of(Conversation(scene, tuple(turns)), times)
