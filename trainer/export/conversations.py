"""The corpus' conversations as text or instruction data for other trainers. Pure: conversations in, pieces of a file out.

Every format keeps scene, speakers and turns, so that an import reads the same turns back: the scene line (`# group 2021`) is
the system message, or the instruction, or a row of its own; the persona's turns are the assistant's; what others say in
between is SPEAKER: text. What a turn answers, if not the one before it, stands in its first line: `> JONAS: words`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from persona.transcript import Conversation, Turn, block, quote_line, render, scene_line

CONTEXT_TURNS = 20  # at least so many turns before the persona's are in an alpaca record, if there are

Writer = Callable[[Iterable[Conversation], str], Iterator[str]]


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive turns of the persona, or of others. start: how many turns come before."""

    own: bool
    turns: Sequence[Turn]
    start: int


def transcript(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """SPEAKER: text, as alterego itself reads and writes it. persona: her or his speaker key."""
    for number, conversation in enumerate(conversations):
        yield ("\n" if number else "") + render(conversation)


def messages(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`{"messages": [{"role": …, "content": …}]}`, one conversation a line."""
    for conversation in conversations:
        roles = [{"role": role, "content": text} for role, text in _messages(conversation, persona)]
        yield json.dumps({"messages": roles}, ensure_ascii=False) + "\n"


def sharegpt(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`[{"conversations": [{"from": "human", "value": …}, {"from": "gpt", …}]}]`."""
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    yield from _array(
        {"conversations": [{"from": names[role], "value": text} for role, text in _messages(conversation, persona)]}
        for conversation in conversations
    )


def alpaca(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`[{"instruction": scene, "input": what was said before, "output": the persona's turn}]`: a record for each of the
    persona's turns; conversations without one are left out. See `trainer.sources.formats.alpaca` for the other fields."""
    yield from _array(
        record
        for number, conversation in enumerate(conversations, start=1)
        for record in _records(conversation, persona, str(number))
    )


def jade(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """Yield a row a turn; the persona's between marks. The last row is always the persona's: what others say after it in
    the last conversation is left out, and so are conversations after the last one that the persona speaks in."""
    held: list[str] = []  # rows that are written once the persona speaks again
    for conversation in conversations:
        held.append(scene_line(conversation.scene, conversation.year))
        for turn in conversation.turns:
            line = " |br| ".join(part.replace("|br|", "|br |") for part in _lines(turn))
            if turn.speaker == persona:
                yield "".join(f"{row}\n" for row in [*held, f"|aigenerationstart| {line} |endofgeneration|"])
                held = []
            else:
                held.append(f"{turn.speaker}: {line}")


def _messages(conversation: Conversation, persona: str) -> Iterator[tuple[str, str]]:
    """Return roles and texts: the scene, then others and persona in alternation."""
    yield "system", scene_line(conversation.scene, conversation.year)
    for run in _runs(conversation, persona):
        if run.own:
            yield "assistant", "\n\n".join("\n".join(_lines(turn)) for turn in run.turns)
        else:
            yield "user", _blocks(run.turns)


def _runs(conversation: Conversation, persona: str) -> Iterator[_Run]:
    start = 0
    for stop in range(1, len(conversation.turns) + 1):
        own = conversation.turns[start].speaker == persona
        if stop == len(conversation.turns) or (conversation.turns[stop].speaker == persona) != own:
            yield _Run(own, conversation.turns[start:stop], start)
            start = stop


def _records(conversation: Conversation, persona: str, number: str) -> Iterator[dict[str, Any]]:
    own = [index for index, turn in enumerate(conversation.turns) if turn.speaker == persona]
    last = -1
    for index in own:
        first = min(last + 1, max(0, index - CONTEXT_TURNS))
        record = {
            "instruction": scene_line(conversation.scene, conversation.year),
            "input": _blocks(conversation.turns[first:index]),
            "output": "\n".join(_lines(conversation.turns[index])),
            "conversation": number,
            "before": first,
        }
        after = _blocks(conversation.turns[index + 1 :]) if index == own[-1] else ""
        yield {**record, "after": after} if after else record
        last = index


def _lines(turn: Turn) -> tuple[str, ...]:
    return (quote_line(turn.quote), *turn.lines) if turn.quote else turn.lines


def _blocks(turns: Sequence[Turn]) -> str:
    return "\n\n".join(map(block, turns))


def _array(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, record in enumerate(records):
        yield (",\n" if number else "\n") + json.dumps(record, ensure_ascii=False)
    yield "\n]\n"
