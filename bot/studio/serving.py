"""Serves the page until it is stopped."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import gradio as gr
import uvicorn
from fastapi import FastAPI

from bot.studio.door import Door
from bot.studio.entrance import listening
from bot.studio.page import CSS, HEAD, page_of, theme
from bot.studio.studio import Studio
from bot.studio.uploads import unfinished_folder

PATIENCE = 2  # seconds that open connections get when the studio is stopped


class Server(uvicorn.Server):
    """Leaves signals to us: a stop that was asked for is no failure."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up on the pages that are open: each would listen for ever."""
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await super().shutdown(sockets)


async def serve(studio: Studio, host: str, port: int, password: str, say: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT. say: told where. Raises UserError if the address can't be used."""
    with listening(host, port) as bound:
        server = server_of(studio, password)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
        say(f"the studio is at {address}; Ctrl-C ends it")
        await server.serve(sockets=[bound])


def server_of(studio: Studio, password: str = "") -> Server:
    """Return the page's server, not yet running; it closes the studio at its end. To be called in the loop that will run
    it."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read whenever Gradio would report
    os.environ["GRADIO_TEMP_DIR"] = str(
        unfinished_folder(studio.config)
    )  # private, and on the same disk as the exports

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await studio.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app,
        page_of(studio),
        path="/",
        theme=theme(),
        css=CSS,
        head=HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
    )
    return Server(uvicorn.Config(Door(app, password), log_level="warning", timeout_graceful_shutdown=PATIENCE))
