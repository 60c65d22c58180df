"""Exports -> messages, each with what is made of it: here, or several exports at once in processes of their own.

In processes, what was read lies in temporary files until its turn comes, so memory stays small and the order is that of the
exports, whoever is done first.
"""

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

from trainer.ingest.export_stream import Made, Make, MessageBatch, made
from trainer.ingest.reading_process import advance, begin, ended_from_outside, shared_in, usable_cores
from trainer.progress import Bars
from trainer.sources.registry import Export

PARALLEL_FROM = 16 << 20  # bytes besides the largest export; to start a process takes half a second
_LOOK_EVERY = 0.2  # seconds between looks at how far the others are


def read_all(
    exports: Sequence[Export],
    make: Make[Made],
    folder: Path,
    bars: Bars,
    parallel_from: int = PARALLEL_FROM,
) -> Iterator[tuple[Export, Iterator[MessageBatch[Made]]]]:
    """Yield each export, in order, with its messages, some at a time, and what `make` makes of them.

    make: has to be picklable; gets some messages at a time.
    folder: for temporary files. parallel_from: bytes besides the largest export, from which on
    exports are read in several processes.
    """
    if _reads_in_processes(exports, parallel_from):
        yield from _in_processes(exports, make, folder, bars)
        return
    for export in exports:
        with bars.task(f"reading {export.label}", export.size) as on_bytes:
            yield export, made(export, make, on_bytes)


def _reads_in_processes(exports: Sequence[Export], parallel_from: int) -> bool:
    """Return whether several processes read these exports, one each at a time."""
    sizes = [export.size for export in exports]
    return len(exports) > 1 and sum(sizes) - max(sizes) >= parallel_from and usable_cores() > 1


def _in_processes(
    exports: Sequence[Export], make: Make[Made], folder: Path, bars: Bars
) -> Iterator[tuple[Export, Iterator[MessageBatch[Made]]]]:
    context = get_context("spawn")  # a fork would inherit the threads of the bars
    shared = shared_in(context)
    pool = ProcessPoolExecutor(min(len(exports), usable_cores()), context, begin, (shared,))
    try:
        jobs = [pool.submit(_spool, export, make, folder / f"{number}.read") for number, export in enumerate(exports)]
        with bars.task(f"reading {len(exports)} exports", sum(export.size for export in exports)) as on_bytes:
            advanced = 0
            for export, job in zip(exports, jobs, strict=True):
                while wait([job], _LOOK_EVERY).not_done:
                    read = shared.read.value  # once: it goes on meanwhile
                    on_bytes(read - advanced)
                    advanced = read
                yield export, _spooled(_result(job, export))
    finally:
        shared.stop.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


def _spool(export: Export, make: Make[Made], path: Path) -> Path:
    """Read an export into a temporary file, in a process of its own."""
    with path.open("wb") as file:
        for batch in made(export, make, advance):
            pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
    return path


def _result(job: "Future[Path]", export: Export) -> Path:
    try:
        return job.result()
    except BrokenProcessPool as error:
        raise ended_from_outside(export.label, "import the exports one by one") from error


def _spooled(path: Path) -> Iterator[MessageBatch[Made]]:
    """Yield the messages of a file that a reading process has written."""
    with path.open("rb") as file:
        while batch := _batch(file):
            yield batch
    path.unlink()


def _batch(file: BinaryIO) -> MessageBatch[Any] | None:
    try:
        decoded: MessageBatch[Any] = pickle.load(file)
    except EOFError:
        return None
    return decoded
