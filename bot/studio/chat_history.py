"""What was said in a chat on the page, and how it becomes turns and bubbles. Pure."""

import re
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import TypedDict

from bot.store import Answer
from persona.archive.passages import Passage
from persona.bundle import Seal
from persona.names import normalise, unique_key
from persona.transcript import Turn, merge_turns
from persona.turn_lines import plain_lines

EDITED = ", edited"  # behind the adapter whose answer somebody rewrote
ANYBODY = "you"  # who talks where no name is given
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])|&#?\w+;?")  # the beginning of a tag, and what may be an entity


@dataclass(frozen=True, slots=True)
class Burst:
    """What somebody said in a row. speaker: the key it is written under. name: as it is shown. made: what an answer of the
    persona was made of; None for what was typed. id: tells answers apart. whole: its lines are one message, as a tweet's are.
    mind: what came to mind before it was said. corrected: what it was made of before /notme put other words in its place."""

    speaker: str
    name: str
    lines: tuple[str, ...]
    made: Answer | None = None
    id: str = ""
    whole: bool = True
    mind: tuple[Passage, ...] = ()
    corrected: Answer | None = None

    @property
    def messages(self) -> tuple[str, ...]:
        """Return the bubbles that it is shown as."""
        return ("\n".join(self.lines),) if self.whole else self.lines


Chat = tuple[Burst, ...]


class GradioMessage(TypedDict):
    """A bubble as Gradio wants it."""

    role: str
    content: str


def speaker_of(seal: Seal, name: str) -> str:
    """Return the key of a trained speaker of that name or key, else a new key that no trained speaker has."""
    asked = normalise(name)
    known = {normalise(speaker.name): key for key, speaker in seal.speakers.items()} | {
        key: key for key in seal.speakers
    }
    if asked in known and known[asked] != seal.speaker:
        return known[asked]
    return unique_key(name, seal.speakers)


def typed(chat: Chat, seal: Seal, name: str, text: str) -> Chat:
    """Return the chat after somebody typed; what one person types in a row is one bubble. Blank text changes nothing."""
    lines = plain_lines(text)
    name = " ".join(plain_lines(name)) or ANYBODY
    if not lines:
        return chat
    last = chat[-1] if chat else None
    if last and last.made is None and last.name == name:
        return (*chat[:-1], Burst(last.speaker, name, (*last.lines, *lines)))
    return (*chat, Burst(speaker_of(seal, name), name, lines))


def place_of(chat: Chat, bubble: int) -> tuple[int, int]:
    """Return which burst a bubble belongs to, and its number in there."""
    for number, burst in enumerate(chat):
        if bubble < len(burst.messages):
            return number, bubble
        bubble -= len(burst.messages)
    raise IndexError(bubble)


def edited(chat: Chat, bubble: int, text: str) -> Chat:
    """Return the chat with a bubble's text replaced. What was typed differently has not been answered yet, so what
    followed is dropped. An answer is put into the persona's mouth, and stays what the next ones go on from."""
    (index, at), lines = place_of(chat, bubble), plain_lines(text)
    old = chat[index]
    if not old.whole:
        lines = (*old.lines[:at], *lines, *old.lines[at + 1 :])
    if not lines:
        return chat[:index]
    if old.made is None:
        return (*chat[:index], replace(old, lines=lines))
    answer = replace(old.made, completion="\n".join(lines), adapter=f"{old.made.adapter.removesuffix(EDITED)}{EDITED}")
    return (*chat[:index], replace(old, lines=lines, made=answer), *chat[index + 1 :])


def reworded(chat: Chat, text: str) -> Chat:
    """Return the chat with these words in place of its last answer."""
    last = chat[-1]
    assert last.made
    made = replace(last.made, completion=text, adapter=f"{last.made.adapter.removesuffix(EDITED)}{EDITED}")
    return (*chat[:-1], replace(last, lines=plain_lines(text), made=made, corrected=said_last(chat)))


def said_last(chat: Chat) -> Answer | None:
    """Return what the last answer was made of when the persona itself said it; None if that is not known."""
    last = chat[-1] if chat else None
    made = last and (last.corrected or last.made)
    return made if made and not made.adapter.endswith(EDITED) else None


def unanswered(chat: Chat) -> Chat:
    """Return the chat without the answers at its end."""
    while chat and chat[-1].made:
        chat = chat[:-1]
    return chat


def turns_of(chat: Chat) -> tuple[Turn, ...]:
    """Return the chat as turns for a prompt."""
    return merge_turns(Turn(said.speaker, said.lines) for said in chat)


def display_names(chat: Chat) -> dict[str, str]:
    """Return what an answer calls those who talk, where that is not their key."""
    return {said.speaker: said.name for said in chat if said.made is None and normalise(said.name) != said.speaker}


def bubbles(chat: Chat) -> list[GradioMessage]:
    """Return the chat as Gradio shows it, each message a bubble; who talks is said if several people type."""
    names = {burst.name for burst in chat if burst.made is None}
    return [
        {"role": "assistant" if burst.made else "user", "content": _to_the_letter(_with_name(burst, message, names))}
        for burst in chat
        for message in burst.messages
    ]


def typed_text(chat: Chat, bubble: int, shown: str) -> str:
    """Return what was typed, without the name and the escaping that `bubbles` added."""
    burst, text = chat[place_of(chat, bubble)[0]], unescape(shown)
    return text if burst.made else text.removeprefix(f"{burst.name}: ")


def beside(chat: Chat) -> list[tuple[str, str]]:
    """Return what is known of the last answer: whom it answers, and what it had in mind."""
    index = next((number for number in reversed(range(len(chat))) if chat[number].made), 0)
    if not index:
        return []
    before = chat[:index]
    turns = len(turns_of(before))
    return [
        ("answers", f"{before[-1].name}: {before[-1].lines[-1]}"),
        ("remembers", "this message only" if turns == 1 else f"{turns} turns of this chat"),
    ]


def _with_name(burst: Burst, message: str, names: set[str]) -> str:
    return f"{burst.name}: {message}" if burst.made is None and len(names) > 1 else message


def _to_the_letter(text: str) -> str:
    """Return the text with nothing in it that a browser would take for HTML, as Gradio's bubbles are; `<3` and `R&B`
    stay."""
    return _MARKUP.sub(lambda match: match[0] if unescape(match[0]) == match[0] != "<" else escape(match[0]), text)
