"""Votes and corrections as they may be trained on: read from the bot, others' words masked, split for good.

The bot's store is the bot's: it is asked for them as a process of its own, as the studio asks the trainer. A file of the
same lines does as well, on a rented GPU.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from persona.config import Settings
from persona.errors import UserError
from persona.names import SOMEONE
from persona.platforms import PLATFORMS
from persona.transcript import UNKNOWN, Conversation, Excerpt, Quote, TranscriptError, Turn, parse
from persona.turn_lines import plain_lines

ROOT = Path(__file__).parents[2]  # where `python -m bot` finds itself
HELD_OUT = 4  # one prompt of so many is never trained on, and judges what comes of it
LOCAL = ("studio", "terminal")  # where nobody but the owner talks
BARRED = frozenset(row.name for row in PLATFORMS if row.bars_training)


class FeedbackLine(BaseModel):
    """A line of `python -m bot feedback`; fields that it has besides are not needed."""

    account: str
    prompt: str
    completion: str
    score: int
    right: str = ""
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """An answer of the persona and what was thought of it. context: what it answers. right: what its owner would have said,
    () for a vote. adapter: which one said it. key: the same for the same answer and judgement. asked: the prompt as it was
    before it was masked, which would make many alike."""

    context: Conversation
    lines: tuple[str, ...]
    liked: bool
    right: tuple[str, ...] = ()
    adapter: str = ""
    key: str = ""
    asked: str = ""

    @property
    def is_held_out(self) -> bool:
        """Return whether it judges: by a hash of its prompt, so for good and with all answers to that; of the timeline, whose
        prompts are all alike, by the answer's too."""
        place = self.asked or repr(self.context)
        return int(_hash(place if self.context.turns else f"{place}{self.lines}"), 16) % HELD_OUT == 0


def ask_bot(settings: Settings) -> list[FeedbackLine]:
    """Return what the bot keeps of votes and corrections, oldest first. Raises UserError with its sentence."""
    words = [sys.executable, "-m", "bot", "feedback", "--config", str(settings.path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise UserError(f"the bot's votes can't be read: {said[0].removeprefix('alterego: ')}")
    return read_lines(done.stdout.split("\n"), "python -m bot feedback")


def read_file(path: Path) -> list[FeedbackLine]:
    """Return what a file of `python -m bot feedback` holds. Raises UserError naming the line at fault."""
    try:
        return read_lines(path.read_text(encoding="utf-8").split("\n"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read ({error}); write it with 'python -m bot feedback > FILE'") from error


def read_lines(lines: Iterable[str], source: str) -> list[FeedbackLine]:
    """Return the votes and corrections of these lines. source: as a sentence names it."""
    read: list[FeedbackLine] = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                read.append(FeedbackLine.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as error:
            raise UserError(
                f"line {number} of {source} is no vote ({type(error).__name__}); write it anew with 'python -m bot feedback'"
            ) from error
    return read


def judged_replies(settings: Settings, lines: Sequence[FeedbackLine]) -> list[JudgedReply]:
    """Return what may be learned from, oldest first. Several votes on one answer count as what most of them say, none if
    they are even; of several corrections of one the last holds. What is no transcript is left out."""
    answers: dict[tuple[str, str], JudgedReply] = {}
    balance: dict[tuple[str, str], int] = {}
    for line in lines:
        where = (line.prompt, line.completion)
        balance[where] = balance.get(where, 0) + line.score
        before = answers.pop(where, None)
        if read := _judged(settings, line):
            right = read.right or (before.right if before else ())
            answers[where] = replace(read, right=right)
    kept: list[JudgedReply] = []
    for where, answer in answers.items():
        if balance[where] or answer.right:
            liked = balance[where] > 0 and not answer.right
            key = _hash("\n".join((*where, str(liked), *answer.right)))
            kept.append(replace(answer, liked=liked, key=key))
    return kept


def _judged(settings: Settings, line: FeedbackLine) -> JudgedReply | None:
    try:
        conversation = parse(line.prompt)
        context = masked(conversation, settings.persona.key, shown_speakers(settings, line.account, conversation))
    except TranscriptError:
        return None
    said = plain_lines(line.completion)
    if not said:
        return None
    return JudgedReply(context, said, line.score > 0, plain_lines(line.right), line.adapter, asked=line.prompt)


def shown_speakers(settings: Settings, account: str, conversation: Conversation) -> frozenset[str]:
    """Return whose words may stand in a prompt beside the persona's: on the owner's own machine everybody's, elsewhere those
    of people with consent; of what came through Discord's API nobody's, unless [refine] discord_text says so."""
    platform = account.partition(":")[0]
    if platform in LOCAL:
        return frozenset(turn.speaker for turn in conversation.turns)
    if platform in BARRED and not settings.refine.discord_text:
        return frozenset()
    return frozenset(key for key, person in settings.people.items() if person.consent)


def masked(conversation: Conversation, persona: str, shown: Collection[str]) -> Conversation:
    """Return a conversation in which all but the persona and `shown` are SOMEONE and say […], also where they are
    quoted."""
    open_to = {persona, *shown}
    names: dict[str, str] = {}

    def name(speaker: str) -> str:
        if speaker in open_to or not speaker:
            return speaker
        return names.setdefault(speaker, f"{SOMEONE} {len(names) + 1}" if names else SOMEONE)

    def quoted(quote: Quote | None) -> Quote | None:
        if quote is None or quote.speaker in open_to:
            return quote
        return Quote(name(quote.speaker), UNKNOWN)

    def turn(each: Turn) -> Turn:
        lines = each.lines if each.speaker in open_to else (UNKNOWN,)
        return Turn(name(each.speaker), lines, quoted(each.quote))

    turns = tuple(map(turn, conversation.turns))
    memories = tuple(Excerpt(tuple(map(turn, memory.turns)), memory.year) for memory in conversation.memories)
    return Conversation(conversation.scene, turns, conversation.year, memories)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
