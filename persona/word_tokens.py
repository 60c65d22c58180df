"""Word tokens: what is counted where words are compared. Pure.

A token is a Unicode word, or one character of the scripts that put no blanks between words (Han, Kana, Thai and their kin;
called CJK here for short).
"""

import re
import string
import unicodedata

_APOSTROPHES = re.compile("['’ʼ＇`´]")
CJK = (
    "\u0e00-\u0eff\u1780-\u17ff"  # Thai and Lao, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff"  # Kana
)
MARKS = "".join(  # vowel signs and accents: parts of words, though not of \\w
    mark
    for mark in map(chr, (*range(0x300, 0x1E00), *range(0xA800, 0xAC00)))
    if unicodedata.category(mark).startswith("M") and not re.match(rf"[{CJK}]", mark)
)
_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_RAW_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}](?:['’]?[^\W_{CJK}{MARKS}]|[{MARKS}])*")  # in a text that is not folded
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
_ASCII_ALNUM = (string.ascii_letters + string.digits).encode()
_CJK_CHARACTER = re.compile(rf"[{CJK}]")


class _Unmarked(dict[int, int | None]):
    """For `str.translate`: leaves marks out. Filled as characters are met, since to ask each one's category is slow."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code)).startswith("M") else code
        self[code] = kept
        return kept


_UNMARKED = _Unmarked()


def folded(text: str) -> str:
    """Return `text` as comparisons see it: compatibility forms, accents and case undone, apostrophes gone ("Don't" is "dont")."""
    plain = _APOSTROPHES.sub("", text).casefold()
    if plain.isascii():
        return plain
    apart = unicodedata.normalize("NFKD", plain)
    return apart.translate(_UNMARKED).casefold()


def word_tokens(text: str) -> list[str]:
    """Return the word tokens of `text` in order, folded; punctuation and emoji are left out.

    A Chinese sentence is one "word" to `str.split`, and many tokens here.
    """
    if text.isascii():
        return _ASCII_TOKEN.findall(text.replace("'", "").replace("`", "").lower())
    return _TOKEN.findall(folded(text))


def end_of_words(text: str, count: int) -> int:
    """Return where the word after the first `count` begins; the length of `text` if it has no more."""
    if len(text) <= count or len(text.encode(errors="surrogatepass").translate(None, _ASCII_ALNUM)) < count:
        return len(text)  # each word but the first comes after a byte that is no ASCII letter or digit
    for number, match in enumerate(_RAW_TOKEN.finditer(text)):
        if number == count:
            return match.start()
    return len(text)


def is_cjk(token: str) -> bool:
    """Return whether a token is one character of a script that writes no blanks between words."""
    return bool(_CJK_CHARACTER.match(token))
