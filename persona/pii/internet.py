"""E-mail addresses and IP addresses in a text."""

import ipaddress
import re
from collections.abc import Sequence

Spans = Sequence[tuple[int, int]]

_EMAIL = re.compile(
    r"(?<![\w.%+\-@])[\w.%+\-]{1,64}(?:@| ?[(\[]at[)\]] ?)[\w\-]{1,63}"
    r"(?:(?:\.| ?[(\[]dot[)\]] ?)[\w\-]{1,63}){0,5}(?:\.| ?[(\[]dot[)\]] ?)[^\W\d_]{2,24}(?![\w@])"
)
_IP4 = re.compile(r"(?<![\w.\-])[1-9]\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w\-]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?=[0-9a-fA-F:]{0,40}\d)[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])")
_VERSION = re.compile(r"(?:\bv|version|release|build)[.: ]*$", re.IGNORECASE)


def emails(text: str) -> Spans:
    """Return the spans of e-mail addresses, also with `at` and `dot` spelled out in brackets, but not of handles such as
    @a@b.social."""
    spelled = "@" in text or "at)" in text or "at]" in text
    return [match.span() for match in _EMAIL.finditer(text)] if spelled else ()


def ips(text: str) -> Spans:
    """IPv4 and IPv6 addresses of machines somewhere; loopback and four-part versions stay."""
    pattern = _IP4 if text.count(".") >= 3 else _IP6 if text.count(":") >= 2 else None
    return [match.span() for match in pattern.finditer(text) if _is_machine(match)] if pattern else ()


def _is_machine(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if address.version == 6 and sum(len(group) >= 2 for group in match[0].split(":")) < 2:
        return False
    before = match.string[max(0, match.start() - 12) : match.start()]
    return not (address.is_loopback or _VERSION.search(before))
