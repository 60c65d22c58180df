"""Discord's gateway on loopback: identify, resume, heartbeats, and everything that goes wrong with them."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web


@dataclass
class Line:
    """One session: it outlives its socket, and what was told meanwhile is told again when it is resumed."""

    id: str
    socket: web.WebSocketResponse | None = None
    deflate: Any = None
    events: list[tuple[str, Any]] = field(default_factory=list)

    async def tell(self, event: str, data: Any) -> None:
        self.events.append((event, data))
        await self._send_event(len(self.events), event, data)

    async def repeat(self, after: int) -> None:
        for number, (event, data) in list(enumerate(self.events, start=1))[after:]:
            await self._send_event(number, event, data)

    async def _send_event(self, number: int, event: str, data: Any) -> None:
        await self.send({"op": 0, "d": data, "s": number, "t": event})

    async def send(self, frame: dict[str, Any]) -> None:
        if self.socket is not None and not self.socket.closed:
            try:
                body = json.dumps(frame).encode()
                await self.socket.send_bytes(self.deflate.compress(body) + self.deflate.flush(zlib.Z_SYNC_FLUSH))
            except (ConnectionError, RuntimeError):
                self.socket = None


class GatewayOnLoopback:
    """The websocket side. welcome: the events with which a new session begins. close_code: refuse whoever identifies.
    refuse: so many connections first. deaf: answer no heartbeat. interval: milliseconds between heartbeats."""

    def __init__(self, welcome: Callable[[], list[tuple[str, Any]]]) -> None:
        self._welcome = welcome
        self._ids = count(1)
        self.lines: list[Line] = []
        self.identified = 0
        self.resumed = 0
        self.close_code: int | None = None
        self.refuse = 0
        self.deaf = False
        self.interval = 41250

    @property
    def connected(self) -> list[Line]:
        return [line for line in self.lines if line.socket is not None and not line.socket.closed]

    async def tell(self, event: str, data: Any) -> None:
        for line in list(self.lines):
            await line.tell(event, data)

    async def cut(self, *, resumable: bool = True) -> None:
        """The connection breaks without a word."""
        sockets = [line.socket for line in self.connected]
        if not resumable:
            self.lines.clear()
        for socket in sockets:
            transport = socket._req.transport if socket and socket._req else None
            if transport:
                transport.abort()

    async def ask_to_reconnect(self) -> None:
        """Op 7."""
        for line in self.connected:
            await line.send({"op": 7, "d": None})

    async def invalidate(self, *, resumable: bool) -> None:
        """Op 9."""
        for line in self.connected:
            await line.send({"op": 9, "d": resumable})
        if not resumable:
            self.lines.clear()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line("", socket, zlib.compressobj())
        await line.send({"op": 10, "d": {"heartbeat_interval": self.interval}})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                line = await self._frame(line, json.loads(frame.data))
        if line.socket is socket:
            line.socket = None
        return socket

    async def _frame(self, line: Line, frame: dict[str, Any]) -> Line:
        if frame["op"] == 1 and not self.deaf:
            await line.send({"op": 11, "d": None})
        elif frame["op"] == 2:
            await self._identify(line)
        elif frame["op"] == 6:
            return await self._resume(line, frame["d"])
        return line

    async def _identify(self, line: Line) -> None:
        if self.close_code and line.socket:
            await line.socket.close(code=self.close_code)
            return
        self.identified += 1
        line.id = f"s{next(self._ids)}"
        for event, data in self._welcome():
            await line.tell(event, {**data, "session_id": line.id} if event == "READY" else data)
        self.lines.append(line)

    async def _resume(self, line: Line, wish: dict[str, Any]) -> Line:
        known = next((line for line in self.lines if line.id == wish["session_id"]), None)
        if known is None:
            await line.send({"op": 9, "d": False})
            return line
        known.socket, known.deflate = line.socket, line.deflate
        self.resumed += 1
        await known.repeat(int(wish["seq"]))
        await known.tell("RESUMED", {})
        return known
