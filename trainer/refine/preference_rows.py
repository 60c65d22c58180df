"""Judged answers as rows of ids: the prompt as the bot builds it, loss on the answer alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from persona.bundle import Seal
from persona.encoding import Encoding
from persona.prompt import reply_prompt
from persona.transcript import Conversation, Turn, written
from trainer.loop.batches import Window
from trainer.refine.judged_replies import JudgedReply

SHORTEST_PROMPT = 64  # tokens that are kept free for a prompt, as reply_prompt keeps them


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """A judged answer, liked or refused, and the same prompt with another prompt's answer, for the reference point."""

    row: Window
    mismatched: Window
    liked: bool


@dataclass(frozen=True, slots=True)
class PreferenceSet:
    """What is learned from, and what judges. supervised: corrections. left_out: answers longer than the context."""

    train: list[PreferenceRow] = field(default_factory=list)
    supervised: list[Window] = field(default_factory=list)
    held_out: list[PreferenceRow] = field(default_factory=list)
    left_out: int = 0

    def count(self, *, liked: bool) -> int:
        """Return how many of the answers that are learned from were liked, or refused."""
        return sum(row.liked == liked for row in self.train)


def preference_set(encoding: Encoding, seal: Seal, replies: Sequence[JudgedReply]) -> PreferenceSet:
    """Return the rows of these answers. A prompt that is held out is so with all its answers; a sort of which nothing else
    would be left is learned from. In a held-out correction the owner's words are the liked answer."""
    held_out = [reply for reply in replies if reply.is_held_out]
    train = [reply for reply in replies if not reply.is_held_out]
    for liked in (True, False):
        if not any(reply.liked == liked for reply in train):
            train += [reply for reply in held_out if reply.liked == liked]
            held_out = [reply for reply in held_out if reply.liked != liked]
    corrected = [(reply.context, reply.right) for reply in train if reply.right]
    supervised = [row for context, lines in corrected if (row := _row(encoding, seal, context, lines))]
    judges = [(reply.context, reply.lines, reply.liked) for reply in held_out]
    judges += [(reply.context, reply.right, True) for reply in held_out if reply.right]
    learned = _paired(encoding, seal, [(reply.context, reply.lines, reply.liked) for reply in train])
    judging = _paired(encoding, seal, judges)
    asked = len(train) + len(corrected) + len(judges)
    fitting = len(learned) + len(supervised) + len(judging)
    return PreferenceSet(learned, supervised, judging, asked - fitting)


def _paired(
    encoding: Encoding, seal: Seal, answers: Sequence[tuple[Conversation, tuple[str, ...], bool]]
) -> list[PreferenceRow]:
    """Return a row for each answer that fits; mismatched is the answer of the next one."""
    fitting = [(answer, row) for answer in answers if (row := _row(encoding, seal, *answer[:2]))]
    rows: list[PreferenceRow] = []
    for number, ((context, _, liked), row) in enumerate(fitting):
        _, others_lines, _ = fitting[(number + 1) % len(fitting)][0]
        rows.append(PreferenceRow(row, _row(encoding, seal, context, others_lines) or row, liked))
    return rows


def _row(encoding: Encoding, seal: Seal, context: Conversation, lines: tuple[str, ...]) -> Window | None:
    """Return prompt and answer; None for an answer that leaves no room for a prompt."""
    said = Turn(seal.speaker, lines)
    answer = [*encoding.encode(written(said)), encoding.end_of_turn]
    if len(answer) > seal.max_length - SHORTEST_PROMPT:
        return None
    prompt = reply_prompt(
        encoding, seal, context.scene, context.turns, room=len(answer), memories=context.memories, year=context.year
    )
    mask = [False] * len(prompt) + [True] * len(answer)
    return Window([*prompt, *answer], mask, len(said.text) + 1)
