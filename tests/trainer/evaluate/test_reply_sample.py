"""Figures of replies: whether they fit what they answer, and what they cost."""

from collections.abc import Sequence

import numpy as np
import pytest

from persona.transcript import Turn
from trainer.evaluate.generation import GeneratedReply, TimedReply
from trainer.evaluate.intervals import Numbers
from trainer.evaluate.reply_context import ReplyContext
from trainer.evaluate.reply_sample import ReplySample


class Fits:
    """A scorer to which a reply that names its question is likelier in its context; it must be the base."""

    def nats(self, asked: Sequence[tuple[ReplyContext, Turn]], *, tuned: bool = True) -> Numbers:
        assert not tuned
        fits = [bool(context.before) and context.before[-1].text in turn.text for context, turn in asked]
        loss: Numbers = 10 - np.array(fits, dtype=float)
        return loss


def reply(question: str, said: tuple[str, ...], seconds: float | None = None) -> TimedReply:
    context = ReplyContext("", "group", None, (Turn("BORIS", (question,)),), Turn("ANNA", ("real",)), None)
    return TimedReply(GeneratedReply(context, said, said), seconds)


@pytest.mark.parametrize(("pattern", "share"), [("re question {}!", 1.0), ("whatever {}", 0.0)])
def test_replies_that_fit_are_found_by_their_questions(pattern: str, share: float) -> None:
    """Judged by the base, among nine others of the same voice."""
    replies = [reply(f"question {number}!", (pattern.format(number),)) for number in range(30)]
    fit = ReplySample(replies, Fits(), "ANNA").relevance()
    assert fit and fit.value == share


def test_too_few_replies_or_always_the_same_have_no_fit() -> None:
    """Silences count as none."""
    same = [reply(f"question {number}!", ("hm",)) for number in range(30)]
    silent = [reply(f"question {number}!", ()) for number in range(30)]
    assert ReplySample(same, Fits(), "ANNA").relevance() is None
    assert ReplySample(silent, Fits(), "ANNA").relevance() is None
    assert ReplySample(same, None, "ANNA").relevance() is None


def test_costs_are_of_what_was_measured() -> None:
    """None is no zero."""
    sample = ReplySample([reply("?", ("a",), 1.0), reply("?", ("b",)), reply("?", ("c",), 3.0)], None, "ANNA")
    seconds = sample.mean(lambda timed: timed.seconds)
    assert seconds and seconds.value == 2.0
    assert sample.mean(lambda timed: timed.prompt_tokens) is None
