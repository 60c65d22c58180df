"""What comes to mind before a reply: the one function that training, evaluation, the studio and the bot ask."""

from collections.abc import Iterable
from dataclasses import replace

from persona.archive.index import Archive
from persona.archive.indexed_passage import IndexedPassage
from persona.archive.ranking import Cue, ScoredPassage
from persona.encoding import Encoding
from persona.transcript import Excerpt

MAX_PASSAGES, MAX_TOKENS = 3, 300  # that stand in a prompt, together
CONTEXT_SHARE = 4  # at most one part in so many of the longest prompt
MIN_SHARE = 0.5  # of the best one's score


def recall(
    archive: Archive,
    cue: Cue,
    encoding: Encoding,
    max_length: int,
    others: Iterable[IndexedPassage] = (),
    notes: Iterable[IndexedPassage] = (),
) -> tuple[Excerpt, ...]:
    """Return what comes to mind, in the order in which it was said, for `prompt(memories=)`.

    max_length: of a prompt, in tokens. others: what may come to mind besides: a channel's own passages. notes: by the
    persona's own hand; those that answer the cue come before all else.
    """
    return tuple(each.passage.excerpt for each in recall_passages(archive, cue, encoding, max_length, others, notes))


def recall_passages(
    archive: Archive,
    cue: Cue,
    encoding: Encoding,
    max_length: int,
    others: Iterable[IndexedPassage] = (),
    notes: Iterable[IndexedPassage] = (),
) -> list[ScoredPassage]:
    """`recall`, with where each passage is from and how well it answers."""
    elsewhere, own = list(others), list(notes)
    scored = [*archive.search(cue), *(archive.rank(cue, elsewhere) if elsewhere else ())]
    best = max((each.score for each in scored), default=0.0)
    scored += [replace(each, score=best + each.score) for each in (archive.rank(cue, own) if own else ())]
    return choose(scored, encoding, max_length)


def choose(scored: Iterable[ScoredPassage], encoding: Encoding, max_length: int) -> list[ScoredPassage]:
    """Return the best few that fit, in the order in which they were said; what is undated comes first."""
    ranked = sorted(scored, key=lambda each: -each.score)
    room = token_budget(max_length)
    chosen: list[ScoredPassage] = []
    for each in ranked:
        if len(chosen) == MAX_PASSAGES or each.score < MIN_SHARE * ranked[0].score:
            break
        together = [other.passage.excerpt for other in (*chosen, each)]
        is_new = all(other.passage.turns != each.passage.turns for other in chosen)
        if is_new and encoding.memory_length(together) <= room:
            chosen.append(each)
    return sorted(chosen, key=lambda each: each.passage.ended or each.passage.began or 0.0)


def token_budget(max_length: int) -> int:
    """Return how many tokens memories may take of a prompt of `max_length`."""
    return min(MAX_TOKENS, max_length // CONTEXT_SHARE)
