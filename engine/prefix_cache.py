"""What was said in a channel stays worked out: a follow-up pays for its new tokens alone. Bounded; the least recently
used channel goes first."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from engine.kv_cache import Kept

MOST_BYTES = 1 << 30  # about 90,000 tokens of a 0.5B model in 16 bits


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keys and values of these ids."""

    ids: tuple[int, ...]
    kept: Kept

    @property
    def bytes(self) -> int:
        """What it takes up."""
        return sum(part.numel() * part.element_size() for pair in self.kept.values() for part in pair)

    def shared(self, ids: Sequence[int]) -> int:
        """How many ids both begin with."""
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self.ids, ids, strict=False)))


class PrefixCache:
    """The last prefix of each channel, up to `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._prefixes: OrderedDict[str, Prefix] = OrderedDict()
        self.bytes = 0

    def __contains__(self, channel: str) -> bool:
        return channel in self._prefixes

    def find(self, channel: str, ids: Sequence[int]) -> tuple[Kept, int]:
        """What is known of a prompt, and for how many of its tokens; never the last, which has to be asked for."""
        if (prefix := self._prefixes.get(channel)) is None:
            return {}, 0
        self._prefixes.move_to_end(channel)
        return prefix.kept, min(prefix.shared(ids), len(ids) - 1)

    def keep(self, channel: str, prefix: Prefix) -> None:
        """Keep it as the channel's last one, and let go of what there is no room for."""
        self._drop(channel)
        self._prefixes[channel] = prefix
        self.bytes += prefix.bytes
        while self.bytes > self._most:
            self._drop(next(iter(self._prefixes)))

    def clear(self) -> None:
        """Let go of everything."""
        self._prefixes.clear()
        self.bytes = 0

    def _drop(self, channel: str) -> None:
        if (gone := self._prefixes.pop(channel, None)) is not None:
            self.bytes -= gone.bytes
