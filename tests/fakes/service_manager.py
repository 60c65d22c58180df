"""What systemd does with a service of Type=notify: a socket on which it hears how the service is."""

import asyncio
import signal
import socket
from pathlib import Path


class ServiceManager:
    """Hears what a service tells it at `path`, in order, and kills one that is silent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    async def listen(self, seconds: float) -> str:
        """What it is told next. Raises TimeoutError after so long a silence."""
        datagram = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 4096), seconds)
        self.heard.append(datagram.decode())
        return self.heard[-1]

    async def until(self, state: str, seconds: float = 60) -> None:
        """Listen until it is told this."""
        while await self.listen(seconds) != state:
            pass

    async def watch(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        """Listen until it is silent for so long, then kill it as WatchdogSec does."""
        try:
            while True:
                await self.listen(seconds)
        except TimeoutError:
            process.send_signal(signal.SIGABRT)

    def close(self) -> None:
        self._socket.close()
