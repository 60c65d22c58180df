"""Work in a thread that ends, which takes its pool along."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_own_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread that ends, and return what it returns.

    OpenMP keeps a pool for every thread that ever computed, and once all pools together
    have more threads than there are cores, those of each sleep between any two operations: a model loaded by a thread that
    lives on speaks up to half slower in another. Ctrl-C waits for the work: to leave a
    thread behind inside PyTorch aborts the process."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
