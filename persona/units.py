"""Units of text: a word, or one character of the scripts that put no blanks between words. Lengths and n-grams count
them: a Chinese sentence is one "word" to `split`."""

import re

# Thai and Lao, Khmer, Kana, Han with its extensions and compatibility forms.
WIDE = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{WIDE}]|[^\W_{WIDE}]+(?:['’][^\W_{WIDE}]+)*")


def units(text: str) -> list[str]:
    """The units of `text`, in order and lower case; punctuation and emoji are none."""
    return [unit.casefold() for unit in _UNIT.findall(text)]
