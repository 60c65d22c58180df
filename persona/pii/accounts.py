"""Bank accounts and payment cards in a text."""

import re
from collections.abc import Sequence
from functools import cache

from stdnum import iban, luhn, numdb

Spans = Sequence[tuple[int, int]]

_CARD = re.compile(r"(?<![\w/+#@.,\-])(?<!\d:)\d(?:[ \-]?\d){12,18}(?![\w/]|[.,:\-]\d)")
# Issuers' first digits and the lengths they use (ISO 7812). Chat platforms number messages with 17 to 19 digits, so lengths
# of which cards are rare are left to them.
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3})?|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d|35[2-8]\d)\d{12}|62\d{14}(?:\d{3})?"
)
_IBAN = re.compile(r"(?<![A-Za-z\d])[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z\d]){11,30}")


def cards(text: str) -> Spans:
    """Return the spans of payment card numbers: a known issuer, its length, a right check digit."""
    return [match.span() for match in _CARD.finditer(text) if is_card(match[0])] if len(text) >= 13 else ()


def ibans(text: str) -> Spans:
    """Return the spans of bank account numbers: the length of their country, right check digits."""
    if len(text) < 15:
        return ()
    ibans = ((run.start(), _iban_length(run[0])) for run in _IBAN.finditer(text))
    return [(start, start + length) for start, length in ibans if length]


def is_card(number: str) -> bool:
    """Return whether `number`, blanks and dashes aside, is a payment card's: issuer, length and Luhn's check digit."""
    digits = re.sub(r"[ \-]", "", number)
    return bool(_ISSUED.fullmatch(digits)) and luhn.is_valid(digits)


def is_iban(number: str) -> bool:
    """Return whether `number`, blanks and dashes aside, is an IBAN: its country's format, and 1 modulo 97."""
    return _iban_length(number) == len(number)


def _iban_length(run: str) -> int:
    """Return how many characters of `run` are an IBAN, 0 if it begins with none; words may follow the number."""
    length = _iban_characters(run[:2].upper())
    places = [place for place, char in enumerate(run) if char.isalnum()]
    if not length or len(places) < length:
        return 0
    end = places[length - 1] + 1
    joined = len(places) > length and places[length] == end  # a longer word, not an IBAN and a word
    return end if not joined and iban.is_valid(run[:end], check_country=False) else 0


@cache
def _iban_characters(country: str) -> int:
    """Return the length of a country's IBANs by the registry of ISO 13616; 0 if it has none."""
    ((_, registered), *_) = numdb.get("iban").info(country)
    return 4 + sum(map(int, re.findall(r"(\d+)!", registered["bban"]))) if registered else 0
