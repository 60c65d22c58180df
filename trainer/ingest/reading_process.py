"""What a process that reads for an import shares with the one that imports: how far it is, and whether to stop."""

import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext
from multiprocessing.sharedctypes import Synchronized

from persona.errors import UserError
from trainer.ingest.export_stream import Stopped


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes see. read: bytes read by all of them. stop: whether the import was given up."""

    read: "Synchronized[int]"
    stop: "Synchronized[int]"


_shared: Shared | None = None  # in a reading process: what it was started with


def shared_in(context: SpawnContext) -> Shared:
    """Return what processes of this context are to share."""
    return Shared(context.Value("Q", 0), context.Value("b", 0))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begin(shared: Shared) -> None:
    """Set up a reading process: Ctrl-C is the parent's to hear, and when the parent is gone, so is this."""
    global _shared
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def advance(count: int) -> None:
    """Count bytes that this process has read. Raises Stopped if nobody wants them any more."""
    if _shared:
        if _shared.stop.value:
            raise Stopped
        with _shared.read.get_lock():
            _shared.read.value += count


def ended_from_outside(label: str, remedy: str) -> UserError:
    """Return the fault of a reading process that was killed. label: of the export. remedy: what the user can do."""
    return UserError(
        f"a process that read for this import was ended from outside, {label} was not read; was there memory left? {remedy}"
    )


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
