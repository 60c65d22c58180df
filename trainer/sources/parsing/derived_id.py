"""Message ids for exports without ids: one message has one id in every export."""

import hashlib
from collections import OrderedDict

MAX_REMEMBERED = 4096  # digests kept to tell equals apart: equals share a timestamp, so they stand close together


class DerivedIds:
    """Hash text, sender, chat and time; equal messages are numbered in order."""

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation
        self._seen: OrderedDict[str, int] = OrderedDict()

    def next(self, timestamp: float | None, sender: str, text: str) -> str:
        """Return the id of the next message."""
        said = "\x1f".join((self._conversation, str(timestamp), sender, text))
        digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=10).hexdigest()
        count = self._seen.pop(digest, 0)
        self._seen[digest] = count + 1
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return f"{digest}-{count}" if count else digest
