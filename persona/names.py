"""Speaker keys: how a display name is written in a transcript, and which names look alike."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

KEY_LENGTH = 64
NUMBERED_LENGTH = KEY_LENGTH - 8  # of what stands before a number
SOMEONE = "SOMEONE"  # stands in where nothing of a name can be written

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
# Capitals of other scripts that print like Latin ones, and digits read as letters (Unicode TR 39, confusables,
# restricted to what can stand in a key: keys are NFKC and upper case).
_LOOK_ALIKE = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ" + "АВЕЅЗІЈКМНОРСТУХԌԚԜҮ" + "ՕՍ" + "ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᏒᏚᎢᏙᎳᏃ" + "ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ" + "01|ǀӀ",
    "ABEZHIKMNOPTYXCJ" + "ABES3IJKMHOPCTYXGQWY" + "OU" + "ABCDEGHJKLMPRSTVWZ" + "BPDTGKJCZFMNLSRVHWXYAEIOU" + "OIIII",
)


@lru_cache(maxsize=1 << 16)  # asked for every line of a corpus
def normalise(name: str) -> str:
    """Return the speaker key of a display name; idempotent.

    NFKC, upper case where the script has case, white space folded to single blanks, invisible characters dropped,
    the marks of a header (`:` at the end) and of a scene or an escape (`#`, backslash at the start) stripped, at most
    64 characters. Empty if nothing is left.
    """
    key = name
    while (folded := _fold(key)) != key:  # upper-casing may compose, composing may upper-case: until nothing changes
        key = folded
    return key


def _fold(name: str) -> str:
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).upper())
    spaced = "".join(" " if c.isspace() else c for c in upper)
    visible = "".join(c for c in spaced if unicodedata.category(c) not in _INVISIBLE and not _selects_variant(c))
    return " ".join(visible.split())[:KEY_LENGTH].lstrip("#\\ ").rstrip(": ")


def _selects_variant(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


@lru_cache(maxsize=1 << 16)  # of everybody in a channel, whenever somebody new comes
def skeleton(key: str) -> str:
    """Return what `key` looks like: two keys with one skeleton can't be told apart by a reader."""
    return normalise(key).translate(_LOOK_ALIKE)


def unique_key(name: str, taken: Iterable[str]) -> str:
    """Return a speaker key for `name` that looks like none of `taken`: `BOB`, else `BOB 2`, `BOB 3`, …"""
    alike = {skeleton(key) for key in taken}
    base = normalise(name) or SOMEONE
    candidate, number = base, 1
    while skeleton(candidate) in alike:
        number += 1
        candidate = normalise(f"{base[:NUMBERED_LENGTH]} {number}")
    return candidate
