"""A stretch of a stream, moved on as it is read: how a file of any size is searched in constant memory."""

import re
from typing import BinaryIO

CHUNK = 128 << 10  # bytes, and the records in them: what a processor's cache holds is read a fifth faster than 1 MiB

_ARRAY_END = re.compile(rb"\s*\]")


class ByteWindow:
    """A part of a stream that is in memory.

    at: the position in `text` that is read next; what stands before it may be dropped.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._dropped = 0
        self.text = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """Where `at` is in the stream, in bytes."""
        return self._dropped + self.at

    def more(self) -> bool:
        """Read on; False at the end. Positions in `text` are void afterwards, except `at`."""
        chunk = self._stream.read(max(CHUNK, len(self.text) - self.at))  # what is long is searched few times
        if chunk:
            self.text = self.text[self.at :] + chunk
            self._dropped += self.at
            self.at = 0
        return bool(chunk)

    def array_end(self, close: bytes) -> int:
        """Return the position behind the last record of an array; -1 if it is not in view.

        That is `close`, then no comma but the array's own bracket.
        """
        start = self.at
        while (end := self.text.find(close, start)) >= 0:
            start = end + len(close)
            if _ARRAY_END.match(self.text, start):
                return start
        return -1
