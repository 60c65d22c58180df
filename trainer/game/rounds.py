"""The Turing game: real or imitation? Rounds of a held-out prompt with two answers, blind; and the tally of results."""

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

from persona.transcript import UNKNOWN
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.reply_context import ReplyContext, spread

ROUNDS = 10
SHORTEST = 3  # characters of an answer that can be judged
ANCHOR = (
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
        """Of 100 rounds."""
        return 100 * self.fooled / max(1, self.rounds)

    @property
    def sentence(self) -> str:
        """As the report has it."""
        return (
            f"the imitation was taken for the person in {self.fooled} of {self.rounds} rounds ({self.percent:.0f}%) of "
            f"{self.games} games; a tuned 8B model with memory was in {ANCHOR:.0f}% of blind chats (IMPersona, 2025), and 50% "
            "would be a coin"
        )

    @property
    def plain(self) -> dict[str, float]:
        """For programs."""
        return {**asdict(self), "percent": round(self.percent, 1), "anchor_percent": ANCHOR}


def candidates(found: Sequence[ReplyContext], rounds: int = ROUNDS) -> list[ReplyContext]:
    """Occasions for a game, spread over all: somebody else spoke before, whose words are known where there are enough of
    such, and the answer is more than a grunt."""
    good = [
        one
        for one in found
        if one.before
        and one.before[-1].speaker != one.real.speaker
        and len(one.text) >= SHORTEST
        and "[" not in one.text
    ]
    known = [one for one in good if one.before[-1].lines != (UNKNOWN,)]
    chosen = known if len(known) >= 2 * rounds else good or list(found)
    return spread(chosen, 2 * rounds)  # twice as many: some answers will be silence


def rounds_of(replies: Sequence[GeneratedReply], names: dict[str, str], seed: int, rounds: int = ROUNDS) -> list[Round]:
    """The rounds of a game, each answer on the left as often as on the right. names: of speakers, by key."""
    rng = random.Random(seed)
    usable = [one for one in replies if one.lines and one.text != one.context.text][:rounds]
    sides = [k % 2 for k in range(len(usable))]
    rng.shuffle(sides)
    return [
        Round(
            tuple((names.get(turn.speaker, turn.speaker.title()), turn.text) for turn in one.context.before[-3:]),
            (one.context.text, one.text) if side == 0 else (one.text, one.context.text),
            side,
        )
        for one, side in zip(usable, sides, strict=True)
    ]


def result(game: str, player: str, right: Sequence[bool]) -> str:
    """What a player sends back: `alterego-GAME-PLAYER-0110…`, a 1 for each round in which the real one was found. game,
    player: eight hexadecimal digits each; two friends may well give the same answers."""
    return f"alterego-{game}-{player}-{''.join('1' if one else '0' for one in right)}"


def read_results(text: str) -> dict[str, list[bool]]:
    """Every result in `text`, whatever stands around it, once: right or wrong by round."""
    return {found[0]: [char == "1" for char in found[3]] for found in _RESULT.finditer(text)}


def tally(results: Sequence[Sequence[bool]]) -> Tally:
    """All games together."""
    said = [right for one in results for right in one]
    return Tally(len(results), len(said), said.count(False))


def in_terminal(one: Round, number: int, of: int) -> str:
    """A round as the terminal shows it."""
    before = "\n".join(f"  {name}: {_indented(text)}" for name, text in one.before)
    answers = "\n".join(f"{label}  {_indented(text)}" for label, text in zip_longest("12", one.answers, fillvalue=""))
    return f"\n{number} of {of}\n{before}\n\n{answers}\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
