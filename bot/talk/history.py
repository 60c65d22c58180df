"""What was said in a channel, as turns for a prompt. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.store import HistoryMessage
from persona.bundle import Seal
from persona.markers import is_reaction
from persona.transcript import Quote, Turn, quote
from persona.truncation import truncate_from

CHARACTERS_A_TOKEN = 2  # fewer than any tokenizer's average: what is cut by it didn't fit anyway
EXTRA_RUNS = 2  # that are read but not shown: the first two lack what stands before them
MAX_REACTIONS = 2  # of others to one message, as in training: a crowd's would fill the context


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
    wanted = _wanted(most)
    turns = _Turns(context, wanted + EXTRA_RUNS).finished()
    kept = turns[truncate_from(turns, len(turns) - wanted) :]
    return tuple(Turn(turn.speaker, _ending(turn.lines, tokens * CHARACTERS_A_TOKEN), turn.quote) for turn in kept)


def read_for(context: ThreadContext, most: int) -> set[str]:
    """Return the ids of the messages whose words `turns_of` reads."""
    said = _said(context.messages)
    read = {message.message_id for message in said[_last_runs(said, _wanted(most) + EXTRA_RUNS) :]}
    return read | {context.answers[name].message.message_id for name in read if name in context.answers}


def own_quote(remembered: Sequence[HistoryMessage], answered: Collection[str]) -> Quote | None:
    """Return what the persona must say it answers; None if that is the end of the last turn. answered: the ids of the
    messages that it answers."""
    said = _said(remembered)
    targets = [message for message in said if message.message_id in answered]
    return quote(targets[-1].speaker, targets[-1].lines) if targets and targets[-1] is not said[-1] else None


class _Turns:
    """The turns of a channel, as imports write them (trainer.corpus.segmentation): what one person said in a row is one,
    unless it answers what a reader doesn't see in the turn before it. Who reacted to a message stands after its turn."""

    def __init__(self, context: ThreadContext, runs: int) -> None:
        """runs: of what one person said in a row the last so many are read; a run is one turn or more."""
        self._context = context
        self._turns: list[Turn] = []
        self._burst: list[HistoryMessage] = []  # the messages of the last turn
        self._answers: Quote | None = None  # what it answers
        self._before: HistoryMessage | None = None  # the last message before it
        self._reactions: defaultdict[str, list[HistoryMessage]] = defaultdict(list)
        messages = [message for message in context.messages if message.lines]
        for message in messages:
            if is_reaction(message.lines):
                self._reactions[message.reply_to].append(message)
        said = _said(messages)
        for message in said[_last_runs(said, runs) :]:
            self._add(message)

    def finished(self) -> list[Turn]:
        """Return all turns. What was said last stands last: who reacted to an earlier message of its turn did so before."""
        reacted = [place for place, message in enumerate(self._burst, start=1) if self._shown(message.message_id)]
        if reacted and (rest := self._burst[reacted[-1] :]):
            self._burst = self._burst[: reacted[-1]]
            self._end_turn()
            self._burst, self._answers = rest, None
        self._end_turn()
        return self._turns

    def _add(self, message: HistoryMessage) -> None:
        answers = self._quote(message)
        if answers is None and self._burst and self._burst[-1].speaker == message.speaker:
            self._burst.append(message)
            return
        self._end_turn()
        self._burst, self._answers = [message], answers

    def _quote(self, message: HistoryMessage) -> Quote | None:
        """A quote of what a message answers, if a reader doesn't see it: the end of the turn before."""
        answered = self._context.answers.get(message.message_id)
        goes_on = bool(self._burst) and self._burst[-1].speaker == message.speaker
        seen = [*self._burst[-1:], *([self._before] if goes_on and self._before else [])]
        if message.quoted:  # by a link, which may lead out of what is read here, or to a part of a text
            is_seen = message.reply_to and message.reply_to in {each.message_id for each in seen}
            return None if is_seen else quote(message.quoted_speaker, message.quoted)
        if answered is None or answered.message in seen:
            return None
        if not goes_on and not answered.explicit and answered.message in self._burst:
            return None
        return quote(answered.message.speaker, answered.message.lines)

    def _end_turn(self) -> None:
        if not self._burst:
            return
        lines = tuple(line for message in self._burst for line in message.lines)
        self._turns.append(Turn(self._burst[-1].speaker, lines, self._answers))
        for message in self._burst:
            target = None if message is self._burst[-1] else quote(message.speaker, message.lines)
            self._turns += [Turn(each.speaker, each.lines, target) for each in self._shown(message.message_id)]
        self._before, self._burst = self._burst[-1], []

    def _shown(self, message_id: str) -> list[HistoryMessage]:
        """The reactions to a message that are shown: the persona's, and a few of others."""
        reactions = self._reactions.get(message_id, [])
        others = [each for each in reactions if each.author_id][:MAX_REACTIONS]
        return [each for each in reactions if not each.author_id or each in others]


def _wanted(most: int) -> int:
    """Return how many turns may be shown."""
    return most + most // 2


def _said(messages: Sequence[HistoryMessage]) -> list[HistoryMessage]:
    """Return the messages that hold words."""
    return [message for message in messages if message.lines and not is_reaction(message.lines)]


def _last_runs(messages: Sequence[HistoryMessage], count: int) -> int:
    """Return where the last so many runs of one speaker's messages begin."""
    start = len(messages)
    while start > 0 and count:
        start -= 1
        count -= start == 0 or messages[start - 1].speaker != messages[start].speaker
    return start


def in_one_go(trigger: HistoryMessage, following: Sequence[HistoryMessage], patience: float) -> list[HistoryMessage]:
    """Return what was said after `trigger` up to the last message with which its author went on, each within `patience`
    seconds of the one before."""
    last, end = trigger.at, 0
    for number, message in enumerate(following, start=1):
        is_theirs = message.author_id == trigger.author_id and not is_reaction(message.lines)
        if is_theirs and message.at - last <= patience:
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
