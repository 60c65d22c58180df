"""How the daemon is, shown on loopback: /healthz for people and probes, /metrics for Prometheus. And how late its loop
runs, which is what the watchdog asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from bot.metrics import BotMetrics
from persona.config import Metrics
from persona.errors import SettingsError

BEAT = 0.5  # seconds between two looks at the loop
LATE = 5.0  # seconds of lag from which the loop is taken for frozen

State = Callable[[], Awaitable[Mapping[str, Any]]]


class LoopMonitor:
    """Measures how late the event loop runs. stuck_for: seconds that the slowest piece of work has made no progress."""

    def __init__(self, metrics: BotMetrics, stuck_for: Callable[[], float], patience: float = 120.0) -> None:
        self._metrics = metrics
        self._stuck_for = stuck_for
        self._patience = patience
        self._lag = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = time.monotonic() + BEAT
            await asyncio.sleep(BEAT)
            self._lag = max(0.0, time.monotonic() - due)
            self._metrics.loop_lag.set(self._lag)

    def alive(self) -> bool:
        """Return whether the loop is on time, and nothing has stood still for too long. A server that is away is no
        reason to be restarted: work that waits for one is in a pause of its own."""
        return self._lag < LATE and self._stuck_for() < self._patience


@asynccontextmanager
async def shown(settings: Metrics, metrics: BotMetrics, state: State) -> Any:
    """Serve both pages while the block runs, unless the port is 0. Raises SettingsError if it is taken."""
    if not settings.port:
        yield
        return

    async def healthz(_request: web.Request) -> web.Response:
        status = await state()
        return web.json_response(status, status=200 if status["ok"] else 503)

    async def page(_request: web.Request) -> web.Response:
        await state()
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", page)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"[metrics] port: {settings.host}:{settings.port} can't be opened ({error.strerror}); choose another"
        ) from None
    try:
        yield
    finally:
        with suppress(Exception):
            await runner.cleanup()
