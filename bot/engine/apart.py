"""Work in a thread that ends, which takes its pool along."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def apart(work: Callable[[], Result]) -> Result:
    """What `work` returns or raises. OpenMP keeps a pool for every thread that ever computed, and once all pools together
    have more threads than there are cores, those of each sleep between any two operations: a model loaded by a thread that
    lives on speaks up to half slower in another. Ctrl-C doesn't wait for the work."""
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # whatever it is, it is raised where the result is awaited
            done.set_exception(error)

    thread = Thread(target=run, name="apart", daemon=True)
    thread.start()
    try:
        return done.result()
    finally:
        if done.done():
            thread.join()
