"""Message ids for exports that have none: the same message gets the same id in every export that holds it."""

import hashlib
from collections import OrderedDict

_MOST = 4096  # what is remembered to tell equals apart: they stand close together, for they bear one timestamp


class DerivedIds:
    """Ids from what a message says, who says it, where and when; equals are numbered in their order."""

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation
        self._seen: OrderedDict[str, int] = OrderedDict()

    def next(self, timestamp: float | None, sender: str, text: str) -> str:
        """The id of the message that comes next."""
        said = "\x1f".join((self._conversation, str(timestamp), sender, text))
        digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=10).hexdigest()
        count = self._seen.pop(digest, 0)
        self._seen[digest] = count + 1
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return f"{digest}-{count}" if count else digest
