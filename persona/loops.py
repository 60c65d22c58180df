"""Whether a text goes round in circles, as a model does that is too sure of itself. Pure."""

from persona.word_tokens import word_tokens

MIN_WORDS = 24  # fewer are a chant, such as people have
RUN = 3  # words
MIN_DISTINCT = 0.5  # of the runs; of 2,364 of Shakespeare's speeches that are long enough, none has so few


def goes_round(text: str) -> bool:
    """Return whether fewer than half of a text's runs of three words are different ones."""
    words = word_tokens(text)
    runs = list(zip(*(words[start:] for start in range(RUN)), strict=False))
    return len(words) >= MIN_WORDS and len(set(runs)) < MIN_DISTINCT * len(runs)
