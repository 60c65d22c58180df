"""The language of a text as short as a message."""

from functools import cache
from typing import Any

# ISO 639-1 codes of those that are told apart; of the model's 140, those that few messages are in are left out.
LANGUAGES = tuple(
    """
    en de nl fr es it pt pl cs sk sv no da fi ru uk zh ja ko tr el he ar fa hi bn ur id ms th vi tl ro hu bg sr hr sl lt lv
    et ca eu gl ta te mr gu kn ml pa ne si km lo my ka hy az kk uz mn sw af sq mk bs be is ga cy am
    """.split()
)


def language_of_text(text: str) -> str:
    """Return the likeliest of `LANGUAGES`."""
    return str(_identifier().classify(text)[0])


def surely_in(text: str, languages: frozenset[str], surety: float = 0.9) -> bool:
    """Return whether a text is in one of some languages, as far as its letters tell."""
    ranked = _identifier().rank(text)
    return sum(float(share) for language, share in ranked if language in languages) >= surety


def load_model() -> None:
    """Load the model, as the first text does otherwise."""
    _identifier()


@cache
def _identifier() -> Any:
    """Return the model, loaded once: that takes half a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages([label for label in model.labels if label in LANGUAGES])
    return model
