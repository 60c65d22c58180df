"""The C library's heap: what arrays and libraries freed stays this process's, beside all that comes after."""

import contextlib
import ctypes


def give_back() -> None:
    """Return to the system what of the heap is free; nothing happens where the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
