"""Why a draft must not be said. Pure."""

from collections.abc import Collection, Sequence

from bot.talk.repeats import repeats
from persona.markers import words_of

REACTION_NOT_ALLOWED = "reaction not allowed"  # there; the message is declined
REPEATS_OF = 6  # the persona's last messages in a channel that a reply must not say again


def rejection_reason(lines: Sequence[str], earlier: Collection[str], *, near: float = 1.0) -> str:
    """Return why a draft is rejected, in a word that is counted; "" if it may be said. earlier: what was said
    before. near: how much of it makes a repetition (see repeats)."""
    if not lines:
        return "empty"
    if not any(map(words_of, lines)):  # a reaction or a sticker: people use the same ones again and again
        return ""
    if all(repeats(line, earlier) for line in lines) or repeats("\n".join(lines), earlier, near=near):
        return "repeated"
    return ""
