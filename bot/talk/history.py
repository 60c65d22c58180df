"""What was said in a channel, as turns for a prompt. Pure."""

from collections.abc import Sequence

from bot.store import HistoryMessage
from persona.bundle import Seal
from persona.transcript import Turn, merge_turns
from persona.truncation import truncate_from

CHARACTERS_A_TOKEN = 2  # fewer than any tokenizer's average: what is cut by it didn't fit anyway


def turns_of(remembered: Sequence[HistoryMessage], most: int, tokens: int) -> tuple[Turn, ...]:
    """Return the last `most` turns and up to half as many before them (persona.truncation says why), oldest first; what
    one person said in a row is one turn. tokens: what fits into a prompt: a turn longer than that keeps its end, or
    nothing of it would be heard."""
    turns = merge_turns(Turn(message.speaker, message.lines) for message in remembered if message.lines)
    kept = turns[truncate_from(turns, len(turns) - most - most // 2) :]
    return tuple(Turn(turn.speaker, _ending(turn.lines, tokens * CHARACTERS_A_TOKEN)) for turn in kept)


def in_one_go(trigger: HistoryMessage, following: Sequence[HistoryMessage], patience: float) -> list[HistoryMessage]:
    """Return what was said after `trigger` up to the last message with which its author went on, each within `patience`
    seconds of the one before."""
    last, end = trigger.at, 0
    for number, message in enumerate(following, start=1):
        if message.author_id == trigger.author_id and message.at - last <= patience:
            last, end = message.at, number
    return list(following[:end])


def scene_of(seal: Seal, is_dm: bool) -> str:
    """Return the trained scene that is nearest to a private or a common channel."""
    counts = dict(seal.data.get("scenes", {}))
    order = ("dm", "group", "reply") if is_dm else ("group", "dm", "reply")
    return next((scene for scene in order if counts.get(scene)), order[0])


def _ending(lines: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Return the last lines that make at most `most` characters; of a single longer one, its end."""
    kept: list[str] = []
    room = most
    for line in reversed(lines):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return tuple(reversed(kept)) or (lines[-1][-most:].lstrip(),)
