"""The Turing game: real or imitation? Rounds of a held-out prompt with two answers, blind; and the tally of results."""

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

from persona.transcript import UNKNOWN
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced

ROUNDS = 10
MIN_CHARACTERS = 3  # characters of an answer that can be judged
ANCHOR_PERCENT = (
    44.4  # of 100 blind chats in which a tuned 8B with memory was taken for the person (IMPersona, arXiv 2504.04332)
)

_RESULT = re.compile(r"alterego-([0-9a-f]{8})-([0-9a-f]{8})-([01]{1,64})")


@dataclass(frozen=True, slots=True)
class Round:
    """before: the last turns of the conversation, as (name, text). answers: two, one real. real: which."""

    before: tuple[tuple[str, str], ...]
    answers: tuple[str, str]
    real: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of all games. fooled: how often the imitation was taken for the person."""

    games: int
    rounds: int
    fooled: int

    @property
    def percent(self) -> float:
        """Return how often of 100 rounds."""
        return 100 * self.fooled / max(1, self.rounds)

    @property
    def sentence(self) -> str:
        """Return what came of it as the report says it."""
        return (
            f"the imitation was taken for the person in {self.fooled} of {self.rounds} rounds ({self.percent:.0f}%) of "
            f"{self.games} games; a tuned 8B model with memory was in {ANCHOR_PERCENT:.0f}% of blind chats (IMPersona, 2025), "
            "and 50% would be a coin"
        )

    @property
    def plain(self) -> dict[str, float]:
        """For programs."""
        return {**asdict(self), "percent": round(self.percent, 1), "anchor_percent": ANCHOR_PERCENT}


def candidates(contexts: Sequence[ReplyContext], rounds: int = ROUNDS) -> list[ReplyContext]:
    """Return contexts for a game, evenly spaced: somebody else spoke before, if possible in known words, and the answer is
    longer than a grunt."""
    playable = [
        context
        for context in contexts
        if context.before
        and context.before[-1].speaker != context.real.speaker
        and len(context.text) >= MIN_CHARACTERS
        and "[" not in context.text
    ]
    with_known_words = [context for context in playable if context.before[-1].lines != (UNKNOWN,)]
    chosen = with_known_words if len(with_known_words) >= 2 * rounds else playable or list(contexts)
    return evenly_spaced(chosen, 2 * rounds)  # twice as many: some answers will be silence


def rounds_of(replies: Sequence[GeneratedReply], names: dict[str, str], seed: int, rounds: int = ROUNDS) -> list[Round]:
    """Return the rounds of a game, each answer on the left as often as on the right. names: of speakers, by key."""
    rng = random.Random(seed)
    usable = [reply for reply in replies if reply.lines and reply.text != reply.context.text][:rounds]
    sides = [k % 2 for k in range(len(usable))]
    rng.shuffle(sides)
    return [
        Round(
            tuple((names.get(turn.speaker, turn.speaker.title()), turn.text) for turn in reply.context.before[-3:]),
            (reply.context.text, reply.text) if side == 0 else (reply.text, reply.context.text),
            side,
        )
        for reply, side in zip(usable, sides, strict=True)
    ]


def result(game: str, player: str, right: Sequence[bool]) -> str:
    """Return what a player sends back: `alterego-GAME-PLAYER-0110…`, a 1 for each round in which the real one was found. game,
    player: eight hexadecimal digits each; two friends may well give the same answers."""
    return f"alterego-{game}-{player}-{''.join('1' if found_real else '0' for found_real in right)}"


def read_results(text: str) -> dict[str, list[bool]]:
    """Return a player's first result of each game in `text`, as right or wrong by round, whatever stands around it."""
    first: dict[tuple[str, str], re.Match[str]] = {}
    for match in _RESULT.finditer(text):
        first.setdefault((match[1], match[2]), match)
    return {match[0]: [char == "1" for char in match[3]] for match in first.values()}


def tally(results: Sequence[Sequence[bool]]) -> Tally:
    """Count all games together."""
    answers = [right for game in results for right in game]
    return Tally(len(results), len(answers), answers.count(False))


def render_round(shown_round: Round, number: int, of: int) -> str:
    """Return a round as the terminal shows it."""
    before = "\n".join(f"  {name}: {_indented(text)}" for name, text in shown_round.before)
    answers = "\n".join(
        f"{label}  {_indented(text)}" for label, text in zip_longest("12", shown_round.answers, fillvalue="")
    )
    return f"\n{number} of {of}\n{before}\n\n{answers}\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
