"""How much an evaluation asks for. Its cost is put in tokens, so that a busy machine asks for what a quiet one does."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trainer.evaluate.reference_set import MIN_TEXTS
from trainer.evaluate.reply_context import CONTEXT_TURNS

FEWEST_REPLIES = MIN_TEXTS + 8  # whatever they cost: of fewer nothing can be said, and some are silences and reactions
FEWEST_READ = FEWEST_REPLIES + 2 * MIN_TEXTS  # prompts: the replies', and messages' with the adapter and without
TURNS = (CONTEXT_TURNS, 8, 4, 2, 1)  # before a reply
REPLIES_SHARE, CALIBRATION_SHARE, POSITIONS_SHARE = 0.3, 0.4, 0.1  # of the tokens


@dataclass(frozen=True, slots=True)
class Reading:
    """turns: read before each held-out message. replies, calibrating: how many may be asked for, for the figures and to choose
    the sampling. positions: at which it may be asked who speaks next."""

    turns: int = CONTEXT_TURNS
    replies: float = math.inf
    calibrating: float = math.inf
    positions: float = math.inf


def reading_within(tokens: float, prompt_tokens: Callable[[int], float]) -> Reading:
    """Return what so many tokens suffice for: as many turns before each message as leave enough for the fewest messages, one
    at least. prompt_tokens: of a usual prompt with so many turns."""
    if tokens == math.inf:
        return Reading()
    for turns in TURNS:
        cost = prompt_tokens(turns)
        if FEWEST_READ * cost <= tokens:
            break
    replies, calibrating = (share * tokens / cost for share in (REPLIES_SHARE, CALIBRATION_SHARE))
    positions = POSITIONS_SHARE * tokens / prompt_tokens(1)  # what was said before is in the prefix cache
    return Reading(turns, max(FEWEST_REPLIES, replies), calibrating, positions)
