"""What comes to the persona's mind in the studio's chat, by the same look-up as live, and how it is shown."""

import asyncio
from collections.abc import Sequence
from functools import partial
from html import escape
from textwrap import shorten

from bot.store import Note
from bot.store.address import is_there, store_url
from bot.studio.chat_history import Burst, Chat, turns_of
from bot.studio.markup import turns
from bot.studio.studio import Studio
from bot.talk.recollection import own_notes
from engine.voice import Voice
from persona.archive.index import Archive
from persona.archive.passages import Passage
from persona.archive.ranking import Cue
from persona.archive.recall import recall_passages

SHOWN_CHARACTERS = 40  # of an answer, by which it is known again


async def memories_before(studio: Studio, voice: Voice, scene: str, chat: Chat) -> tuple[Passage, ...]:
    """Return what comes to mind before an answer to a chat; nothing if it is switched off, and in a timeline."""
    if scene == "timeline" or not chat or not studio.settings.talk.memory:
        return ()
    notes = own_notes(voice.seal.speaker, await _notes(studio))
    dm = chat[-1].speaker if scene == "dm" else ""
    look_up = partial(
        recall_passages,
        voice.archive or Archive.empty(),
        Cue(turns_of(chat), dm=dm),
        voice.encoding,
        voice.seal.max_length,
        notes=notes,
    )
    return tuple(each.passage for each in await asyncio.to_thread(look_up))


async def _notes(studio: Studio) -> Sequence[Note]:
    """Return the notes of the store; a studio without a bot has none, and makes none."""
    settings = studio.settings
    if not is_there(store_url(settings), settings.state):
        return ()
    store = await studio.store()
    return await store.notes.all()


def came_to_mind(chat: Chat, persona: str = "") -> str:
    """Return what came to mind before each answer, folded, the last one first; "" if nothing did. persona: whose turns
    stand out."""
    answers = [burst for burst in reversed(chat) if burst.made]
    return "".join(_folded(burst, persona, is_last=burst is answers[0]) for burst in answers if burst.mind)


def _folded(answer: Burst, persona: str, *, is_last: bool) -> str:
    windows = "".join(
        f"<p class=quiet>{escape(str(passage.year or 'some time'))}</p>"
        + turns((turn.speaker, turn.lines, turn.speaker == persona) for turn in passage.turns)
        for passage in answer.mind
    )
    count = f"{len(answer.mind)} earlier {'talk' if len(answer.mind) == 1 else 'talks'}"
    before = "" if is_last else f" before “{escape(shorten(answer.lines[0], SHOWN_CHARACTERS, placeholder='…'))}”"
    return f"<details class=mind><summary>came to mind{before}: {count}</summary>{windows}</details>"
