"""The corpus' conversations as text or instruction data for other trainers. Pure: conversations in, pieces of a file out.

Every format keeps scene, speakers and turns, so that an import reads the same turns back: the scene line (`# group 2021`) is
the system message, or the instruction, or a row of its own; the persona's turns are the assistant's; what others say in
between is SPEAKER: text.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from persona.transcript import Conversation, Turn, header, render, scene_line, written

FEWEST_BEFORE = 20  # turns that an alpaca record shows before the persona's, where there are so many

Writer = Callable[[Iterable[Conversation], str], Iterator[str]]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Neighbouring turns of the persona, or of others. start: the number of turns before it."""

    own: bool
    turns: Sequence[Turn]
    start: int


def transcript(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """SPEAKER: text, as alterego itself reads and writes it. persona: her or his speaker key."""
    for number, one in enumerate(conversations):
        yield ("\n" if number else "") + render(one)


def messages(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`{"messages": [{"role": …, "content": …}]}`, one conversation a line."""
    for one in conversations:
        told = [{"role": role, "content": text} for role, text in _told(one, persona)]
        yield json.dumps({"messages": told}, ensure_ascii=False) + "\n"


def sharegpt(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`[{"conversations": [{"from": "human", "value": …}, {"from": "gpt", …}]}]`."""
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    yield from _array(
        {"conversations": [{"from": names[role], "value": text} for role, text in _told(one, persona)]}
        for one in conversations
    )


def alpaca(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """`[{"instruction": scene, "input": what was said before, "output": the persona's turn}]`: a record for each of the
    persona's turns; conversations without one are left out. See `trainer.sources.formats.alpaca` for the other fields."""
    yield from _array(
        record for number, one in enumerate(conversations, start=1) for record in _records(one, persona, str(number))
    )


def jade(conversations: Iterable[Conversation], persona: str) -> Iterator[str]:
    """A row a turn; the persona's between marks. The last row is always the persona's: what others say after it in the last
    conversation is left out, and so are conversations after the last one that the persona speaks in."""
    held: list[str] = []  # rows that are written once the persona speaks again
    for one in conversations:
        held.append(scene_line(one.scene, one.year))
        for turn in one.turns:
            line = " |br| ".join(part.replace("|br|", "|br |") for part in turn.lines)
            if turn.speaker == persona:
                yield "".join(f"{row}\n" for row in [*held, f"|aigenerationstart| {line} |endofgeneration|"])
                held = []
            else:
                held.append(f"{turn.speaker}: {line}")


def _told(one: Conversation, persona: str) -> Iterator[tuple[str, str]]:
    """Roles and texts: the scene, then others and persona by turns."""
    yield "system", scene_line(one.scene, one.year)
    for stretch in _stretches(one, persona):
        if stretch.own:
            yield "assistant", "\n\n".join(turn.text for turn in stretch.turns)
        else:
            yield "user", _blocks(stretch.turns)


def _stretches(one: Conversation, persona: str) -> Iterator[_Stretch]:
    start = 0
    for stop in range(1, len(one.turns) + 1):
        own = one.turns[start].speaker == persona
        if stop == len(one.turns) or (one.turns[stop].speaker == persona) != own:
            yield _Stretch(own, one.turns[start:stop], start)
            start = stop


def _records(one: Conversation, persona: str, number: str) -> Iterator[dict[str, Any]]:
    own = [place for place, turn in enumerate(one.turns) if turn.speaker == persona]
    last = -1
    for place in own:
        first = min(last + 1, max(0, place - FEWEST_BEFORE))
        record = {
            "instruction": scene_line(one.scene, one.year),
            "input": _blocks(one.turns[first:place]),
            "output": one.turns[place].text,
            "conversation": number,
            "before": first,
        }
        after = _blocks(one.turns[place + 1 :]) if place == own[-1] else ""
        yield {**record, "after": after} if after else record
        last = place


def _blocks(turns: Sequence[Turn]) -> str:
    return "\n\n".join(f"{header(turn.speaker)}\n{written(turn)}" for turn in turns)


def _array(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, record in enumerate(records):
        yield (",\n" if number else "\n") + json.dumps(record, ensure_ascii=False)
    yield "\n]\n"
