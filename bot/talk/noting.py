"""What /remember and `remember` do: keep a note, list the notes, take one back; the same words for both."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.store import BotStore, Note
from persona.turn_lines import plain_lines

MAX_CHARACTERS = 300  # of a note: three of them stand in a prompt
MAX_NOTES = 1000  # all are looked through before each reply
LISTED_CHARACTERS = 1800  # a message on Discord holds 2,000
_TAKES_BACK = re.compile(r"forget\s+#?(\d{1,18})", re.IGNORECASE)


async def remembered(store: BotStore, argument: str, author: str = "") -> str:
    """Obey /remember: keep what is said, or `forget N`, or with nothing list the notes. Returns what to answer."""
    words = note_words(argument)
    if not words:
        return listed(await store.notes.all())
    if match := _TAKES_BACK.fullmatch(words):
        return await taken_back(store, int(match[1]))
    return await kept(store, words, author)


async def kept(store: BotStore, words: str, author: str = "") -> str:
    """Keep a note; returns what came of it."""
    if reason := refusal(words, len(await store.notes.all())):
        return reason
    note = await store.notes.add(words, author)
    return f"Remembered as note {note.id}. It comes to mind where it fits, in any channel."


async def taken_back(store: BotStore, number: int) -> str:
    """Take a note back; returns what came of it."""
    return f"Note {number} is forgotten." if await store.notes.remove(number) else f"There is no note {number}."


def note_words(text: str) -> str:
    """Return a note on one line."""
    return " ".join(" ".join(plain_lines(text)).split())


def refusal(words: str, notes: int) -> str:
    """Return why a note can't be kept, "" if it can. notes: how many there are."""
    if len(words) > MAX_CHARACTERS:
        return f"A note is at most {MAX_CHARACTERS} characters long, and this has {len(words)}; make two of it."
    if notes >= MAX_NOTES:
        return f"There are {notes} notes, and that is as many as fit; take some back first."
    return ""


def listed(notes: Sequence[Note], most: int | None = LISTED_CHARACTERS) -> str:
    """Return the notes by number, the newest first. most: characters, None for all of them."""
    if not notes:
        return "There are no notes yet."
    lines: list[str] = []
    for note in reversed(notes):
        line = f"{note.id}: {note.words} ({datetime.fromtimestamp(note.at, UTC):%Y-%m-%d})"
        if most is not None and sum(map(len, [*lines, line])) + len(lines) > most:
            return "\n".join([*lines, f"… and {len(notes) - len(lines)} older ones"])
        lines.append(line)
    return "\n".join(lines)
