"""What was said in a chat on the page, and how it becomes turns and bubbles. Pure."""

import re
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import TypedDict

from bot.store import Answer
from persona.bundle import Seal
from persona.names import normalise, unique_key
from persona.transcript import Turn, merge_turns
from persona.turn_lines import plain_lines

EDITED = ", edited"  # behind the adapter whose answer somebody rewrote
ANYBODY = "you"  # who talks where no name is given
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])|&#?\w+;?")  # the beginning of a tag, and what may be an entity


@dataclass(frozen=True, slots=True)
class Bubble:
    """One bubble. speaker: the key it is written under. name: as it is shown. made: what an answer of the persona's was
    made of; None for what was typed. id: tells answers apart."""

    speaker: str
    name: str
    lines: tuple[str, ...]
    made: Answer | None = None
    id: str = ""


Chat = tuple[Bubble, ...]


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
        return (*chat[:-1], Bubble(last.speaker, name, (*last.lines, *lines)))
    return (*chat, Bubble(speaker_of(seal, name), name, lines))


def edited(chat: Chat, index: int, text: str) -> Chat:
    """Return the chat with a bubble's text replaced. What was typed differently has not been answered yet: what followed
    is gone. An answer is put into the persona's mouth, and stays what the next ones go on from."""
    lines, old = plain_lines(text), chat[index]
    if not lines:
        return chat[:index]
    if old.made is None:
        return (*chat[:index], Bubble(old.speaker, old.name, lines))
    answer = replace(old.made, completion="\n".join(lines), adapter=f"{old.made.adapter.removesuffix(EDITED)}{EDITED}")
    return (*chat[:index], Bubble(old.speaker, old.name, lines, answer, old.id), *chat[index + 1 :])


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
    """Return the chat as Gradio shows it; who talks is said where several do."""
    names = {said.name for said in chat if said.made is None}
    return [
        {"role": "assistant", "content": _to_the_letter("\n".join(said.lines))}
        if said.made
        else {"role": "user", "content": _to_the_letter(_with_name(said, names))}
        for said in chat
    ]


def _with_name(said: Bubble, names: set[str]) -> str:
    text = "\n".join(said.lines)
    return f"{said.name}: {text}" if len(names) > 1 else text


def typed_text(chat: Chat, index: int, shown: str) -> str:
    """Return what was typed, without the name that `bubbles` put before it and what it did for HTML's sake."""
    said, text = chat[index], unescape(shown)
    return text if said.made else text.removeprefix(f"{said.name}: ")


def _to_the_letter(text: str) -> str:
    """Return the text with nothing in it that a browser would take for HTML, as Gradio's bubbles are; `<3` and `R&B`
    stay."""
    return _MARKUP.sub(lambda match: match[0] if unescape(match[0]) == match[0] != "<" else escape(match[0]), text)
