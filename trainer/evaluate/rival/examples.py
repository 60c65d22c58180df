"""Which of the person's messages a prompt shows: those said before the most similar words, ranked as memories are."""

from collections import defaultdict
from collections.abc import Sequence

from persona.archive.ranking import Cue, scorer_of, weights_of
from persona.archive.terms import terms_of
from persona.transcript import block
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced

EXAMPLES = 30


class Examples:
    """The person's training messages with what each answers."""

    def __init__(self, contexts: Sequence[ReplyContext]) -> None:
        self._contexts = contexts
        self._terms = [terms_of(_said(context)) for context in contexts]
        self._holding: defaultdict[str, list[int]] = defaultdict(list)
        for place, terms in enumerate(self._terms):
            for term in {*terms}:
                self._holding[term].append(place)
        self._usual = sum(map(len, self._terms)) / max(1, len(contexts))

    def nearest(self, context: ReplyContext, count: int = EXAMPLES) -> list[ReplyContext]:
        """Return at most `count` examples, the nearest last; if too few are like it, others evenly spaced before them."""
        nearest = self._ranked(Cue(context.before, context.real.quote))[:count][::-1]
        others = [place for place in range(len(self._contexts)) if place not in {*nearest}]
        filled = evenly_spaced(others, count - len(nearest)) if len(nearest) < count else []
        return [self._contexts[place] for place in (*filled, *nearest)]

    def _ranked(self, cue: Cue) -> list[int]:
        """Return the places of the messages that answer a cue, best first."""
        weights = weights_of(cue)
        frequencies = {term: len(self._holding[term]) for term in weights if term in self._holding}
        scorer = scorer_of(weights, frequencies, len(self._contexts), self._usual)
        scores = {
            place: scorer.score(self._terms[place])
            for term in scorer.weights
            if term in self._holding
            for place in self._holding[term]
        }
        return sorted(scores, key=lambda place: (-scores[place], place))


def _said(context: ReplyContext) -> str:
    return "\n".join(block(turn) for turn in (*context.before[-1:], context.real))
