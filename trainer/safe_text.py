"""What others chose to be called, as a terminal may show it."""

import unicodedata

from rich.text import Text

_JOINERS = "\u200c\u200d"  # part of how emoji and some scripts are written


def printed(name: str) -> Text:
    """`name` to the letter: brackets are no markup, and no control character turns the line around."""
    return Text("".join(char for char in name if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf"}))
