"""Where a prompt begins in a talk that is too long for it: at the same turn for several messages in a row. Engines keep
what they worked out of a prompt's beginning; a window that moved on with every message would never begin as the last did."""

from collections.abc import Sequence
from zlib import crc32

from persona.transcript import Turn

SPARED = 3  # of what fits, up to one part in so many is left out for it


def truncate_from(turns: Sequence[Turn], first: int) -> int:
    """Return the index of the turn to begin at. first: the earliest from which all fit, 0 or less where nothing need be
    left out. Of the oldest third from there it is the one whose words hash lowest: it stays so until it is too old, or a
    lower one comes."""
    if first <= 0:
        return 0
    candidates = range(first, first + max(1, (len(turns) - first) // SPARED))
    return min(candidates, key=lambda index: crc32("\n".join((turns[index].speaker, *turns[index].lines)).encode()))
