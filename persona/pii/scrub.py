"""A text without personal data: each find becomes a placeholder such as `[phone]`. Pure.

A pattern only nominates; a check sum, a validity test or a look at the neighbourhood decides, so that dates, scores,
prices, years and ids stay.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from persona.pii.addresses import addresses
from persona.pii.internet import emails, ips
from persona.pii.keys import keys

_SIGN = re.compile(r"[\d@:=：号號栋幢]|[(\[]at[)\]]")  # nothing is found in a text without one of these
_DIGIT = re.compile(r"[\d号號栋幢]")  # Chinese writes house numbers in characters too
_SEVEN = re.compile(r"\d(?:[ ./\-–()]{0,3}\d){6}")  # accounts, cards and phones have that many digits together


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text with placeholders, and the kind of each placeholder: key, e-mail, iban, card, phone, ip, address."""

    text: str
    kinds: tuple[str, ...] = ()


def may_hold_any(text: str) -> bool:
    """Return whether personal data, or a digit, could be in a text: most texts hold none, and that is quicker to see."""
    return _SIGN.search(text) is not None


def scrub(text: str, regions: Collection[str] = ()) -> Scrubbed:
    """`text` without personal data. regions: ISO 3166 codes of the countries whose national phone numbers are looked for;
    international numbers, and those whose shape tells, are found everywhere."""
    if not _SIGN.search(text):
        return Scrubbed(text)
    kinds: list[str] = []
    text = _replaced(text, "key", keys(text), kinds)
    text = _replaced(text, "e-mail", emails(text), kinds)
    if _DIGIT.search(text):
        if _SEVEN.search(text):
            from persona.pii.accounts import cards, ibans  # with their registries 2 MiB, which few replies need
            from persona.pii.phones import phones

            text = _replaced(text, "iban", ibans(text), kinds)
            text = _replaced(text, "card", cards(text), kinds)
            text = _replaced(text, "phone", phones(text, regions), kinds)
        text = _replaced(text, "ip", ips(text), kinds)
        text = _replaced(text, "address", addresses(text), kinds)
    return Scrubbed(text, tuple(kinds))


def _replaced(text: str, kind: str, spans: Sequence[tuple[int, int]], kinds: list[str]) -> str:
    """spans: of what is to go, from left to right, apart from each other."""
    if not spans:
        return text
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        pieces += (text[done:start], f"[{kind}]")
        done = end
        kinds.append(kind)
    return "".join((*pieces, text[done:]))
