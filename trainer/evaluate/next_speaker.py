"""Whether the model knows when the persona speaks: asked after every message of others in held-out talk, as the bot asks."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.base import EngineError
from engine.voice import Voice
from persona.markers import is_reaction
from persona.speaking_up import SpeakingUp, speaking_up
from persona.transcript import Turn
from persona.truncation import truncate_from
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.splits import TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.intervals import Figure, Numbers, bootstrap
from trainer.evaluate.reply_context import CONTEXT_TURNS, evenly_spaced
from trainer.evaluate.two_sample import area

MAX_POSITIONS = 2000  # asked in a split: so many bring the share of turns within a tenth of the person's
MIN_POSITIONS, MIN_SPOKEN = 60, 12  # with fewer no threshold is calibrated
LEAST = -10.0  # nats; what is less likely is never a turn of the persona's
AT_ONCE = 16  # conversations that are read side by side


@dataclass(frozen=True, slots=True)
class Position:
    """A moment of a conversation at which somebody else has just said something. before: the turns up to there. spoke:
    whether the persona was next. ends_turn: whether somebody else than its author spoke next."""

    conversation_id: str
    scene: str
    before: tuple[Turn, ...]
    spoke: bool
    ends_turn: bool


@dataclass(frozen=True, slots=True)
class TurnScores:
    """Positions with what was found likely there. log_probs: of the persona's header, nats. bigrams: how often it follows
    that speaker. Each is an array [n]."""

    log_probs: Numbers
    bigrams: Numbers
    spoke: Numbers
    ends_turn: Numbers

    def auc(self, scores: Numbers) -> Figure | None:
        """Return how often a turn of the persona's is likelier than another's by `scores` [n], at the ends of turns."""
        ours, others = (scores[self.ends_turn & (self.spoke == is_ours)] for is_ours in (True, False))
        return bootstrap(area, ours, others) if len(ours) > 1 and len(others) > 1 else None

    def share(self, threshold: float) -> Figure | None:
        """Return how often the persona would speak, as a share of how often the person did."""
        if not self.spoke.any():
            return None
        speaks = self.log_probs >= threshold
        both = np.stack([speaks, self.spoke], axis=1).astype(float)
        return bootstrap(lambda rows: float(rows[:, 0].sum() / max(1.0, rows[:, 1].sum())), both)


def positions(records: Iterable[ConversationRecord], me: str) -> list[list[Position]]:
    """Return the positions of every conversation of a group, in order."""
    return [list(_positions(record, me)) for record in records if record.conversation.scene == "group"]


def _positions(record: ConversationRecord, me: str) -> Iterable[Position]:
    turns = _spoken(record)
    for place, following in _of_others(turns, me):
        turn = turns[place]
        first = truncate_from(turns[: place + 1], place + 1 - CONTEXT_TURNS - CONTEXT_TURNS // 2)
        for count in range(1, len(turn.lines) + 1):
            is_whole = count == len(turn.lines)
            before = (*turns[first:place], Turn(turn.speaker, turn.lines[:count], turn.quote))
            ends = is_whole and following not in ("", turn.speaker)
            yield Position(record.id, record.conversation.scene, before, is_whole and following == me, ends)


def _spoken(record: ConversationRecord) -> list[Turn]:
    return [turn for turn in record.conversation.turns if not is_reaction(turn.lines)]


def _of_others(turns: Sequence[Turn], me: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each turn of somebody else, and who speaks next, "" for nobody."""
    for place, turn in enumerate(turns):
        if turn.speaker != me:
            yield place, turns[place + 1].speaker if place + 1 < len(turns) else ""


def held_out_talk(corpus: Corpus, split: str, me: str) -> list[ConversationRecord]:
    """Return the conversations of a held-out split in which the persona speaks, and as large a share of the groups' talk in
    which it doesn't: most of that is in the trained split, and a bot hears it too."""
    groups = [record for record in corpus.conversations if record.conversation.scene == "group"]
    silent = [record for record in groups if not _speaks(record, me)]
    held_out = [record for record in groups if corpus.splits[record.id] == split and _speaks(record, me)]
    wanted = round(len(silent) * len(held_out) / max(1, len(groups) - len(silent)))
    own = [record for record in silent if corpus.splits[record.id] == split][:wanted]
    trained = [record for record in silent if corpus.splits[record.id] == TRAIN][split == TEST_SPLIT :: 2]
    return [*held_out, *own, *evenly_spaced(trained, wanted - len(own))]


def _speaks(record: ConversationRecord, me: str) -> bool:
    return any(turn.speaker == me for turn in record.conversation.turns)


def speaking_rate(records: Iterable[ConversationRecord], me: str) -> float:
    """Return after how many of others' messages in groups the persona is next, as a share."""
    messages = spoke = 0
    for record in records:
        if record.conversation.scene == "group":
            turns = _spoken(record)
            for place, following in _of_others(turns, me):
                messages += len(turns[place].lines)
                spoke += following == me
    return spoke / max(1, messages)


def bigrams(records: Iterable[ConversationRecord], me: str) -> Callable[[str], float]:
    """Return how often the persona speaks after each speaker: what the model has to know better."""
    after, all_after = Counter[str](), Counter[str]()
    for record in records:
        if record.conversation.scene == "group":
            turns = _spoken(record)
            for place, following in _of_others(turns, me):
                if following not in ("", turns[place].speaker):
                    all_after[turns[place].speaker] += 1
                    after[turns[place].speaker] += following == me
    mean = sum(after.values()) / max(1, sum(all_after.values()))
    return lambda speaker: after[speaker] / all_after[speaker] if all_after[speaker] else mean


def scored(
    voice: Voice,
    records: Sequence[ConversationRecord],
    bigram: Callable[[str], float],
    until: float = float("inf"),
    most: int = MAX_POSITIONS,
) -> TurnScores | None:
    """Return how likely the model finds the persona at the positions of these conversations; None if it is asked nothing.

    until: on time.monotonic()'s clock; conversations that don't fit are left out, and so are they beyond `most` positions."""
    conversations = [each for each in positions(records, voice.seal.speaker) if each]
    total = sum(map(len, conversations))
    chosen = evenly_spaced(conversations, max(1, round(len(conversations) * min(1.0, most / max(1, total)))))
    asked = asyncio.run(_ask(voice, chosen, until)) if chosen else []
    if not asked:
        return None
    return TurnScores(
        np.array([log_prob for _, log_prob in asked]),
        np.array([bigram(position.before[-1].speaker) for position, _ in asked]),
        np.array([position.spoke for position, _ in asked]),
        np.array([position.ends_turn for position, _ in asked]),
    )


async def _ask(voice: Voice, conversations: Sequence[Sequence[Position]], until: float) -> list[tuple[Position, float]]:
    """Ask at every position. One conversation is read in its order: most of what is asked is in the prefix cache then."""
    waiting = iter(conversations)
    asked: list[tuple[Position, float]] = []

    async def read() -> None:
        for conversation in waiting:
            for position in conversation:
                if time.monotonic() > until:
                    return
                channel = f"turns {position.conversation_id}"
                log_prob = await voice.next_speaker(position.scene, position.before, channel=channel, least=LEAST)
                asked.append((position, max(log_prob, LEAST)))

    await voice.engine.start()
    try:
        await asyncio.gather(*(read() for _ in range(AT_ONCE)))
    except EngineError:  # a server that tells no probabilities
        return []
    finally:
        await voice.engine.close()
    return asked


def calibrated(scores: TurnScores | None, rate: float) -> SpeakingUp | None:
    """Return the thresholds by which the persona takes as many turns as the person did; None if too little was held out.

    rate: see `speaking_rate`; of all that is not tested on, so that chance in what was held out doesn't count."""
    if scores is None or len(scores.spoke) < MIN_POSITIONS or scores.spoke.sum() < MIN_SPOKEN:
        return None
    return speaking_up(scores.log_probs.tolist(), round(rate, 4))
