"""E-mail addresses, IP addresses, bank accounts and cards in a text."""

import ipaddress
import re
from collections.abc import Sequence

Spans = Sequence[tuple[int, int]]

_EMAIL = re.compile(
    r"(?<![\w.%+\-@])[\w.%+\-]{1,64}(?:@| ?[(\[]at[)\]] ?)[\w\-]{1,63}"
    r"(?:(?:\.| ?[(\[]dot[)\]] ?)[\w\-]{1,63}){0,5}(?:\.| ?[(\[]dot[)\]] ?)[^\W\d_]{2,24}(?![\w@])"
)
_CARD = re.compile(r"(?<![\w/+#@.,\-])(?<!\d:)\d(?:[ \-]?\d){12,18}(?![\w/]|[.,:\-]\d)")
# Issuers' first digits and the lengths they use (ISO 7812). Chat platforms number messages with 17 to 19 digits, so lengths
# of which cards are rare are left to them.
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3})?|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d|35[2-8]\d)\d{12}|62\d{14}(?:\d{3})?"
)
_IBAN = re.compile(r"(?<![A-Za-z\d])[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z\d]){11,30}")
_IP4 = re.compile(r"(?<![\w.\-])[1-9]\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w\-]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?=[0-9a-fA-F:]{0,40}\d)[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])")
_VERSION = re.compile(r"(?:\bv|version|release|build)[.: ]*$", re.IGNORECASE)

# Length of an IBAN by country: the registry of ISO 13616, release 99.
_IBAN_LENGTH = {
    country: int(length)
    for country, _, length in (
        pair.partition(":")
        for pair in """
    AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27 DK:18
    DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 IE:22 IL:23
    IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27
    MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19
    SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30
    """.split()
    )
}


def emails(text: str) -> Spans:
    """Return the spans of e-mail addresses, also with `at` and `dot` spelled out in brackets, but not of handles such as
    @a@b.social."""
    spelled = "@" in text or "at)" in text or "at]" in text
    return [match.span() for match in _EMAIL.finditer(text)] if spelled else ()


def ips(text: str) -> Spans:
    """IPv4 and IPv6 addresses of machines somewhere; loopback and four-part versions stay."""
    pattern = _IP4 if text.count(".") >= 3 else _IP6 if text.count(":") >= 2 else None
    return [match.span() for match in pattern.finditer(text) if _is_machine(match)] if pattern else ()


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
    if not _ISSUED.fullmatch(digits):
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(digit - 9 if digit > 9 else digit for digit in doubled)) % 10 == 0


def is_iban(number: str) -> bool:
    """Return whether `number`, blanks and dashes aside, is an IBAN: its country's length, and 1 modulo 97."""
    return _iban_length(number) == len(number)


def _iban_length(run: str) -> int:
    """Return how many characters of `run` are an IBAN, 0 if it begins with none; words may follow the number."""
    length = _IBAN_LENGTH.get(run[:2].upper(), 0)
    places = [place for place, char in enumerate(run) if char.isalnum()]
    if not length or len(places) < length:
        return 0
    end = places[length - 1] + 1
    compact = re.sub(r"[ \-]", "", run[:end]).upper()
    joined = len(places) > length and places[length] == end  # a longer word, not an IBAN and a word
    return end if not joined and int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1 else 0


def _is_machine(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if address.version == 6 and sum(len(group) >= 2 for group in match[0].split(":")) < 2:
        return False
    before = match.string[max(0, match.start() - 12) : match.start()]
    return not (address.is_loopback or _VERSION.search(before))
