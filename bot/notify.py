"""What systemd is told: ready, stopping, alive. Nothing where nobody listens."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send `state` (READY=1, STATUS=…) to the service manager, if there is one (sd_notify(3))."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
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
