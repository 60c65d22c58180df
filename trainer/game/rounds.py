"""The Turing game: real or imitation? Rounds of a held-out prompt with two answers, or three with a rival's, blind;
and the tally of results."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from persona.transcript import UNKNOWN
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.reply_context import ReplyContext, context_key, evenly_spaced

ROUNDS = 10
MIN_CHARACTERS = 3  # characters of an answer that can be judged
ANCHOR_PERCENT = (
    44.4  # of 100 blind chats in which a tuned 8B with memory was taken for the person (IMPersona, arXiv 2504.04332)
)

_RESULT = re.compile(r"alterego-([0-9a-f]{8})-([0-9a-f]{8})-([0-5]{1,64})(?:-([fs])\b)?")
FOUND, TAKEN = "13", "04"  # digits of a round in which the person was found, or the imitation taken for them
THREE, RIVAL = "345", "5"  # digits of a round with a rival's answer among three; the rival was taken
FRIEND, STRANGER = "f", "s"  # whether a player knows the person


@dataclass(frozen=True, slots=True)
class Round:
    """before: the last turns of the conversation, as (name, text). answers: two, one real, or three with a rival's. real,
    rival: which."""

    before: tuple[tuple[str, str], ...]
    answers: tuple[str, ...]
    real: int
    rival: int | None = None

    def digit(self, choice: int) -> str:
        """Return how a choice is written down: 1 and 0 of two answers, 3, 4 and 5 of three. game.js does the same."""
        if choice == self.rival:
            return RIVAL
        return (FOUND if choice == self.real else TAKEN)[self.rival is not None]


@dataclass(frozen=True, slots=True)
class GameResult:
    """What a player chose, a digit a round. knows: FRIEND, STRANGER, or "" if nobody asked."""

    digits: str
    knows: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of all games. fooled: how often the imitation was taken for the person. three: rounds with a rival's answer;
    three_fooled, rival: how often the imitation and the rival were taken in those. friends, strangers: (fooled, rounds) of
    players who said whether they know the person."""

    games: int
    rounds: int
    fooled: int
    three: int = 0
    three_fooled: int = 0
    rival: int = 0
    friends: tuple[int, int] = (0, 0)
    strangers: tuple[int, int] = (0, 0)

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
            f"and {50 if not self.three else 'of two answers 50'}% would be a coin{self._against_the_rival}{self._by_knowledge}"
        )

    @property
    def _against_the_rival(self) -> str:
        if not self.three:
            return ""
        return (
            f"; of three answers the imitation was taken in {self.three_fooled} and the rival in {self.rival} of {self.three} "
            "rounds, where 33% would be chance"
        )

    @property
    def _by_knowledge(self) -> str:
        groups = {"friends": self.friends, "strangers": self.strangers}
        told = [f"{name} were fooled in {fooled} of {rounds}" for name, (fooled, rounds) in groups.items() if rounds]
        return f"; {', '.join(told)}" if told else ""

    @property
    def plain(self) -> dict[str, Any]:
        """For programs."""
        named = {
            name: {"fooled": fooled, "rounds": rounds}
            for name, (fooled, rounds) in (("friends", self.friends), ("strangers", self.strangers))
        }
        return {**asdict(self), **named, "percent": round(self.percent, 1), "anchor_percent": ANCHOR_PERCENT}


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


def rounds_of(
    replies: Sequence[GeneratedReply],
    names: dict[str, str],
    seed: int,
    rounds: int = ROUNDS,
    rival: Mapping[str, str] | None = None,
) -> list[Round]:
    """Return the rounds of a game, the real answer in each place as often. names: of speakers, by key. rival: what it
    answers, by `context_key`; a third answer where there is one."""
    rng = random.Random(seed)
    usable = [reply for reply in replies if reply.lines and reply.text != reply.context.text][:rounds]
    third = [(rival or {}).get(context_key(reply.context), "") for reply in usable]
    others = [
        [reply.text, *([text] if text and text not in (reply.text, reply.context.text) else [])]
        for reply, text in zip(usable, third, strict=True)
    ]
    sides = [number % (len(wrong) + 1) for number, wrong in enumerate(others)]
    if len({len(wrong) for wrong in others}) == 1:
        rng.shuffle(sides)
    return [_round(reply, wrong, side, names, rng) for reply, wrong, side in zip(usable, others, sides, strict=True)]


def _round(
    reply: GeneratedReply, wrong: Sequence[str], side: int, names: Mapping[str, str], rng: random.Random
) -> Round:
    """Return a round with the real answer at `side`. wrong: the imitation's answer, then the rival's if there is one."""
    answers = rng.sample(wrong, len(wrong))
    answers.insert(side, reply.context.text)
    return Round(
        tuple((names.get(turn.speaker, turn.speaker.title()), turn.text) for turn in reply.context.before[-3:]),
        tuple(answers),
        side,
        answers.index(wrong[1]) if len(wrong) > 1 else None,
    )


def result(game: str, player: str, digits: str, knows: str = "") -> str:
    """Return what a player sends back: `alterego-GAME-PLAYER-0110…`, a digit a round (see Round.digit), and whether they know
    the person. game, player: eight hexadecimal digits each; two friends may well give the same answers."""
    return f"alterego-{game}-{player}-{digits}{f'-{knows}' if knows else ''}"


def read_results(text: str) -> dict[str, GameResult]:
    """Return a player's first result of each game in `text`, whatever stands around it."""
    first: dict[tuple[str, str], re.Match[str]] = {}
    for match in _RESULT.finditer(text):
        first.setdefault((match[1], match[2]), match)
    return {match[0]: GameResult(match[3], match[4] or "") for match in first.values()}


def tally(results: Sequence[GameResult]) -> Tally:
    """Count all games together; friends and strangers apart."""
    digits = "".join(game.digits for game in results)

    def by(knows: str) -> tuple[int, int]:
        theirs = "".join(game.digits for game in results if game.knows == knows)
        return _count(theirs, TAKEN), len(theirs)

    return Tally(
        len(results),
        len(digits),
        _count(digits, TAKEN),
        _count(digits, THREE),
        _count(digits, TAKEN[1]),
        _count(digits, RIVAL),
        by(FRIEND),
        by(STRANGER),
    )


def _count(digits: str, kinds: str) -> int:
    return sum(digit in kinds for digit in digits)


def render_round(shown_round: Round, number: int, of: int) -> str:
    """Return a round as the terminal shows it."""
    before = "\n".join(f"  {name}: {_indented(text)}" for name, text in shown_round.before)
    answers = "\n".join(f"{number}  {_indented(text)}" for number, text in enumerate(shown_round.answers, start=1))
    return f"\n{number} of {of}\n{before}\n\n{answers}\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
