"""One large export read by a process of its own, beside the one that imports: its rows come while it goes on reading.

A pipe is between the two; it holds no more than a batch, so neither runs ahead of the other.
"""

import gc
import pickle
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, NamedTuple, TypeVar

from trainer.ingest.export_stream import BATCH, Stopped
from trainer.ingest.reading_process import Shared, advance, begin, ended_from_outside, shared_in, usable_cores

BESIDE_FROM = 32 << 20  # bytes of an export; below, the process takes as long to start as it saves
_GRACE_SECONDS = 5.0  # in which a process that is no longer needed tidies up

Item = TypeVar("Item")
State = TypeVar("State")
Work = Callable[[State, Callable[[int], None]], Iterator[Item]]


class _Finished(NamedTuple, Generic[State]):
    """The end of what a process has read. state: what the work made of what it was given."""

    state: State


def is_worth_a_process(size: int, beside_from: int = BESIDE_FROM) -> bool:
    """Return whether an export of so many bytes is sooner imported with a process that reads it."""
    return size >= beside_from and usable_cores() > 1


def read_beside(
    label: str, work: Work[State, Item], state: State, on_bytes: Callable[[int], None], meanwhile: Callable[[], object]
) -> Generator[Item, None, State]:
    """Yield what `work` yields in a process of its own; returns `state` as it left it.

    label: of what is read, for faults. work: given the state and what is to be told of bytes; has to be picklable.
    meanwhile: what this process does while the other one starts. Raises what the work raises, and UserError if its process
    was killed.
    """
    context = get_context("spawn")  # a fork would inherit the threads of the bars
    shared = shared_in(context)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(shared, sender, work, state), daemon=True)
    try:
        with _interrupts_held():
            process.start()
        sender.close()  # else the end of the process would not be the end of the pipe
        meanwhile()
        left: State = yield from _received(label, receiver, shared, on_bytes)
        return left
    finally:
        shared.stop.value = 1
        receiver.close()
        if process.pid is not None:
            process.join(_GRACE_SECONDS)
            process.terminate()
            process.join()


def _received(
    label: str, receiver: "Connection[Any, Any]", shared: Shared, on_bytes: Callable[[int], None]
) -> Generator[Any, None, Any]:
    advanced = 0
    while True:
        try:
            packet = pickle.loads(receiver.recv_bytes())
        except (EOFError, ConnectionError) as error:
            raise ended_from_outside(label, "import it again, or in parts") from error
        read = shared.read.value  # once: it goes on meanwhile
        on_bytes(read - advanced)
        advanced = read
        if isinstance(packet, _Finished):
            return packet.state
        if isinstance(packet, BaseException):
            raise packet
        yield from packet


def _serve(shared: Shared, sender: "Connection[Any, Any]", work: Work[State, Item], state: State) -> None:
    """Do the work, in the process for it."""
    begin(shared)
    gc.disable()  # as the import itself does
    try:
        items = work(state, advance)
        while batch := list(islice(items, BATCH)):
            _send(sender, batch)
        _send(sender, _Finished(state))
    except (Stopped, BrokenPipeError):
        pass  # nobody waits for it
    except Exception as error:  # the importing process is where it is told
        _send(sender, error)


def _send(sender: "Connection[Any, Any]", packet: object) -> None:
    sender.send_bytes(pickle.dumps(packet, pickle.HIGHEST_PROTOCOL))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back meanwhile; a process that starts then doesn't hear it before it can say so itself."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
