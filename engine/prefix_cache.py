"""What was computed for each channel's last prompt, so that a follow-up computes its new tokens alone.

Bounded; the least recently used channel is dropped first."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from engine.forward import RowPrefix

MAX_BYTES = 1 << 30  # about 90,000 tokens of a 0.5B model in 16 bits


@dataclass(frozen=True, slots=True)
class Prefix:
    """What was computed for these ids."""

    ids: tuple[int, ...]
    kept: RowPrefix

    def shared(self, ids: Sequence[int]) -> int:
        """Return the length of the common prefix with `ids`."""
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self.ids, ids, strict=False)))


class PrefixCache:
    """The last prefix of each channel, up to `max_bytes` bytes."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._prefixes: OrderedDict[str, Prefix] = OrderedDict()
        self.bytes = 0

    def __contains__(self, channel: str) -> bool:
        return channel in self._prefixes

    def find(self, channel: str, ids: Sequence[int]) -> tuple[RowPrefix | None, int]:
        """Return what is kept of a prompt and how many of its tokens it covers; never the last, which has to be run."""
        if (prefix := self._prefixes.get(channel)) is None:
            return None, 0
        self._prefixes.move_to_end(channel)
        return prefix.kept, prefix.kept.usable(min(prefix.shared(ids), len(ids) - 1))

    def keep(self, channel: str, prefix: Prefix) -> None:
        """Store the channel's last prefix; drop the least recently used ones beyond the bound."""
        self._drop(channel)
        self._prefixes[channel] = prefix
        self.bytes += prefix.kept.bytes
        while self.bytes > self._max_bytes:
            self._drop(next(iter(self._prefixes)))

    def clear(self) -> None:
        """Drop everything."""
        self._prefixes.clear()
        self.bytes = 0

    def _drop(self, channel: str) -> None:
        if (removed := self._prefixes.pop(channel, None)) is not None:
            self.bytes -= removed.kept.bytes
