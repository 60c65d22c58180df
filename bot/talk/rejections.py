"""Why a draft must not be said. Pure."""

from collections.abc import Collection, Sequence

from persona.markers import words_of
from persona.repeats import repeats

REACTION_NOT_ALLOWED = "reaction not allowed"  # there; the message is declined
REPEATS_OF = 6  # the persona's last messages in a channel that a reply must not say again


def rejection_reason(lines: Sequence[str], earlier: Collection[str]) -> str:
    """Return why a draft is rejected, in a word that is counted; "" if it may be said. earlier: what was said
    before."""
    if not lines:
        return "empty"
    if not any(map(words_of, lines)):  # a reaction or a sticker: people use the same ones again and again
        return ""
    if all(repeats(line, earlier) for line in lines) or repeats("\n".join(lines), earlier):
        return "repeated"
    return ""
