"""Which of the person's messages a prompt shows: those said before the most similar words."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from persona.word_tokens import word_tokens
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced

EXAMPLES = 30
QUERY_TURNS = 4  # the last of a conversation


class Examples:
    """The person's training messages with what each answers."""

    def __init__(self, contexts: Sequence[ReplyContext]) -> None:
        self._contexts = contexts
        self._words = TfidfVectorizer(analyzer=word_tokens, sublinear_tf=True)
        texts = [f"{_asked(context)}\n{context.text}" for context in contexts]
        self._index = self._words.fit_transform(texts) if any(map(word_tokens, texts)) else None

    def nearest(self, context: ReplyContext, count: int = EXAMPLES) -> list[ReplyContext]:
        """Return at most `count` examples, the nearest last; if too few are like it, others evenly spaced before them."""
        nearest: list[int] = []
        if self._index is not None:
            likeness = (self._index @ self._words.transform([_asked(context)]).T).toarray()[:, 0]
            ranked = np.argsort(-likeness, kind="stable")[:count]
            nearest = [int(place) for place in ranked if likeness[place] > 0][::-1]
        others = [place for place in range(len(self._contexts)) if place not in set(nearest)]
        filled = evenly_spaced(others, count - len(nearest)) if len(nearest) < count else []
        return [self._contexts[place] for place in (*filled, *nearest)]


def _asked(context: ReplyContext) -> str:
    quoted = context.real.quote.words if context.real.quote else ""
    return "\n".join([*(turn.text for turn in context.before[-QUERY_TURNS:]), quoted])
