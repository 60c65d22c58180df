"""The terms by which passages are found: words; and characters and pairs of them in scripts without blanks. Pure."""

from itertools import pairwise

from persona.word_tokens import is_cjk, word_tokens

MAX_TERM = 32  # characters; what is longer is cut


def terms_of(text: str) -> list[str]:
    """Return the terms of `text` in order. Letters and digits alone, so that none means anything to a query language."""
    words = word_tokens(text)
    if text.isascii():
        return [word[:MAX_TERM] for word in words]
    terms: list[str] = []
    for word, following in pairwise([*words, ""]):
        terms.append(word[:MAX_TERM])
        if is_cjk(word) and is_cjk(following):
            terms.append(word + following)
    return terms
