"""Notify systemd: ready, stopping, alive. Does nothing without a service manager."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send `state` (READY=1, STATUS=…) to the service manager, if there is one (sd_notify(3)).

    A manager that can't be reached is ignored: a program started from a service inherits the address of its socket.
    """
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


async def feed_watchdog(alive: Callable[[], bool], environ: Mapping[str, str] = os.environ) -> None:
    """Tell the service manager's watchdog that the loop runs, as long as `alive` says so; until cancelled."""
    period = int(environ.get("WATCHDOG_USEC", "0")) / 1e6
    while period:
        if alive():
            notify("WATCHDOG=1", environ)
        await asyncio.sleep(period / 3)
    await asyncio.Event().wait()  # until cancelled


@contextmanager
def extending(environ: Mapping[str, str] = os.environ, every: float = 10.0) -> Iterator[None]:
    """Ask for more time to start while the block runs: a large model loads for minutes. From a thread, since what loads
    may hold the loop."""
    if not environ.get("NOTIFY_SOCKET"):
        yield
        return
    done = threading.Event()

    def ask() -> None:
        while not done.wait(every):
            notify(f"EXTEND_TIMEOUT_USEC={int(every * 3e6)}", environ)

    notify("STATUS=loading the model", environ)
    thread = threading.Thread(target=ask, name="start timeout", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        notify("STATUS=", environ)
