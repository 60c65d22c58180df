"""What was said in a channel, as turns for a prompt. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.store import HistoryMessage
from persona.bundle import Seal
from persona.transcript import Quote, Turn, quote
from persona.truncation import truncate_from

CHARACTERS_A_TOKEN = 2  # fewer than any tokenizer's average: what is cut by it didn't fit anyway


class AnsweredMessage(NamedTuple):
    """What a message answers. explicit: by a reply link; otherwise by whom it addresses, or who addressed its author."""

    message: HistoryMessage
    explicit: bool


@dataclass(frozen=True, slots=True)
class ThreadContext:
    """What is shown to whoever answers a message: messages of its channel, oldest first. answers: by message id."""

    messages: Sequence[HistoryMessage] = ()
    answers: Mapping[str, AnsweredMessage] = field(default_factory=dict)

    @property
    def heard(self) -> list[HistoryMessage]:
        """All whose words are shown, also in a quote."""
        return [*self.messages, *(answered.message for answered in self.answers.values())]


def turns_of(context: ThreadContext, most: int, tokens: int) -> tuple[Turn, ...]:
    """Return the last `most` turns and up to half as many before them (persona.truncation says why), oldest first; what
    one person said in a row is one turn, unless they answer something else than what stands before it. tokens: what fits
    into a prompt: a turn longer than that keeps its end, or nothing of it would be heard."""
    turns: list[Turn] = []
    burst: list[HistoryMessage] = []  # the messages of the last turn
    before: HistoryMessage | None = None  # the last one before it
    for message in context.messages:
        if not message.lines:
            continue
        answered = _quoted(message, context.answers.get(message.message_id), burst, before)
        if burst and burst[-1].speaker == message.speaker and answered is None:
            turns[-1] = Turn(message.speaker, turns[-1].lines + message.lines, turns[-1].quote)
            burst.append(message)
        else:
            turns.append(Turn(message.speaker, message.lines, answered))
            before, burst = burst[-1] if burst else None, [message]
    kept = turns[truncate_from(turns, len(turns) - most - most // 2) :]
    return tuple(Turn(turn.speaker, _ending(turn.lines, tokens * CHARACTERS_A_TOKEN), turn.quote) for turn in kept)


def _quoted(
    message: HistoryMessage,
    answered: AnsweredMessage | None,
    burst: Sequence[HistoryMessage],
    before: HistoryMessage | None,
) -> Quote | None:
    """Return a quote of what a message answers, if a reader doesn't see it: the end of the turn before. As imports do
    (trainer.corpus.segmentation)."""
    if answered is None or not answered.message.lines:
        return None
    goes_on = bool(burst) and burst[-1].speaker == message.speaker
    last = burst[-1] if burst else None
    if answered.message in (last, before if goes_on else None):
        return None
    if not goes_on and not answered.explicit and answered.message in burst:
        return None
    return quote(answered.message.speaker, answered.message.lines)


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
