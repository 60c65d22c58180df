"""Exports -> messages, each with what is made of it: here, or several exports at once in processes of their own.

In processes, what was read lies in temporary files until its turn comes, so memory stays small and the order is that of the
exports, whoever is done first.
"""

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from persona.command import debugging
from persona.errors import SettingsError, UserError
from trainer.progress import Bars
from trainer.sources.message import Message, Reject
from trainer.sources.registry import Export

PARALLEL_FROM = 16 << 20  # bytes besides the largest export; to start a process takes half a second
_BATCH = 512  # messages that are cleaned, and go through a temporary file, at a time
_LOOK_EVERY = 0.2  # seconds between looks at how far the others are

Made = TypeVar("Made")
Make = Callable[[Sequence[Message]], Sequence[Made]]
Read = Iterator[tuple[Message, Made] | Reject]


class _Stopped(Exception):
    """The import was interrupted while this process read for it."""


def read_all(
    exports: Sequence[Export],
    make: Make[Made],
    folder: Path,
    bars: Bars,
    parallel_from: int = PARALLEL_FROM,
) -> Iterator[tuple[Export, Read[Made]]]:
    """Yield each export, in order, with its messages and what `make` makes of them, and what could not be read of it.

    make: has to be picklable; gets some messages at a time.
    folder: for temporary files. parallel_from: bytes besides the largest export, from which on
    exports are read in several processes.
    """
    sizes = [export.size for export in exports]
    if len(exports) > 1 and sum(sizes) - max(sizes) >= parallel_from and (os.cpu_count() or 1) > 1:
        yield from _in_processes(exports, make, folder, bars)
        return
    for export, size in zip(exports, sizes, strict=True):
        with bars.task(f"reading {export.label}", size) as advance:
            yield export, _made(export, make, advance)


def _made(export: Export, make: Make[Made], on_bytes: Callable[[int], None]) -> Read[Made]:
    items = _guarded(export, on_bytes)
    while batch := list(islice(items, _BATCH)):
        messages = [item for item in batch if not isinstance(item, Reject)]
        made = iter(make(messages))
        yield from ((item if isinstance(item, Reject) else (item, next(made))) for item in batch)


def _guarded(export: Export, on_bytes: Callable[[int], None]) -> Iterator[Message | Reject]:
    """Yield what is in an export; a fault ends it and is its last Reject: it must not cost the other exports."""
    try:
        yield from export.read(on_bytes)
    except (SettingsError, _Stopped):
        raise
    except UserError as error:
        yield Reject(file=export.label, offset=0, reason=str(error))
    except Exception as error:  # the one broad catch: a mistake in one reader
        if debugging():
            raise
        reason = f"the reader failed here ({type(error).__name__}: {error}): a mistake in alterego, please report it"
        yield Reject(file=export.label, offset=0, reason=reason)


def _in_processes(
    exports: Sequence[Export], make: Make[Made], folder: Path, bars: Bars
) -> Iterator[tuple[Export, Read[Made]]]:
    context = get_context("spawn")  # a fork would inherit the threads of the bars
    shared = _Shared(context.Value("Q", 0), context.Value("b", 0))
    workers = min(len(exports), os.cpu_count() or 1)
    pool = ProcessPoolExecutor(workers, context, _begin, (shared,))
    try:
        jobs = [pool.submit(_spool, export, make, folder / f"{number}.read") for number, export in enumerate(exports)]
        with bars.task(f"reading {len(exports)} exports", sum(export.size for export in exports)) as advance:
            advanced = 0
            for export, job in zip(exports, jobs, strict=True):
                while wait([job], _LOOK_EVERY).not_done:
                    advance(shared.read.value - advanced)
                    advanced = shared.read.value
                yield export, _spooled(_result(job, export))
    finally:
        shared.stop.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all processes see. read: bytes read by all of them. stop: whether the import was given up."""

    read: "Synchronized[int]"
    stop: "Synchronized[int]"


_shared: _Shared | None = None  # in a reading process: what it was started with


def _begin(shared: _Shared) -> None:
    """Set up a reading process: Ctrl-C is the parent's to hear, and when the parent is gone, so is this."""
    global _shared
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _spool(export: Export, make: Make[Made], path: Path) -> Path:
    """Read an export into a temporary file, in a process of its own."""
    with path.open("wb") as file:
        items = _made(export, make, _advance)
        while batch := list(islice(items, _BATCH)):
            pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
    return path


def _advance(count: int) -> None:
    if _shared:
        if _shared.stop.value:
            raise _Stopped
        with _shared.read.get_lock():
            _shared.read.value += count


def _result(job: "Future[Path]", export: Export) -> Path:
    try:
        return job.result()
    except BrokenProcessPool as error:
        raise UserError(
            f"a process that read for this import was ended from outside, {export.label} was not read; "
            "was there memory left? import the exports one by one"
        ) from error


def _spooled(path: Path) -> Read[Made]:
    with path.open("rb") as file:
        while batch := _batch(file):
            yield from batch
    path.unlink()


def _batch(file: BinaryIO) -> list[Any]:
    """Return the next messages of a file that a reading process has written; none at its end."""
    try:
        decoded: list[Any] = pickle.load(file)
    except EOFError:
        return []
    return decoded
