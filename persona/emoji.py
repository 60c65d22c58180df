"""What an emoji is: a flag, a keycap, a sign that is asked to look like one, or a pictograph with its skin tones, the tags of
England's flag, and whatever is joined to it (Unicode TS 51)."""

import re
from collections.abc import Iterator

_ONE = (
    r"[\u2190-\u21ff\u2300-\u27bf\u2934-\u2b55\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
)
_SIGN = r"[\xa9\xae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299]\ufe0f"
_EMOJI = re.compile(rf"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_SIGN}|{_ONE}(?:\u200d{_ONE})*")


def emoji_of(text: str) -> list[str]:
    """Return the emoji in `text`, without variation selectors."""
    return [] if text.isascii() else [emoji.replace("\ufe0f", "") for emoji in _EMOJI.findall(text)]


def emoji_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each emoji in `text` without variation selectors, and where it begins and ends."""
    if not text.isascii():
        yield from ((match[0].replace("\ufe0f", ""), match.start(), match.end()) for match in _EMOJI.finditer(text))


def ends_with_emoji(text: str) -> bool:
    """Return whether an emoji is the last thing in `text`."""
    return not text.isascii() and any(match.end() == len(text) for match in _EMOJI.finditer(text))
