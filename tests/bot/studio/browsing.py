"""The studio on loopback, in a thread of this process, and Chromium to look at it."""

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from bot.studio.serving import Server, server_of
from bot.studio.studio import Studio
from persona.values import is_loopback
from tests.browser import DESK

_SILENT = "It says nothing"
_ANSWERED = f"""count =>
  document.querySelectorAll('.bot.message').length > count || document.body.innerText.includes('{_SILENT}')"""
_QUIET = """() => {
  const now = performance.now(), text = document.body.innerText;
  if (document.querySelector(".generating, .progress-text, .eta-bar") || text !== window.lastText) window.since = now;
  window.lastText = text;
  return now - window.since > 250;
}"""


@contextlib.contextmanager
def served(config: Path, studio: type[Studio] = Studio) -> Iterator[str]:
    """The page's address, while it is served. studio: what lies behind it."""
    servers: list[Server] = []

    async def serve() -> None:
        servers.append(server_of(studio(config)))
        await servers[0].serve(sockets=[door])

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="studio")
        thread.start()
        try:
            while thread.is_alive() and not (servers and servers[0].started):
                time.sleep(0.02)
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            for server in servers:
                server.should_exit = True
            thread.join(60)


@contextlib.contextmanager
def connections() -> Iterator[list[str]]:
    """Hosts elsewhere that this process connects to, or asks for by name, while the block runs."""
    abroad: list[str] = []
    watching = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("socket.connect", "socket.getaddrinfo"):
            host = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0]
            if isinstance(host, str) and host and not host.startswith("/") and not is_loopback(host):
                abroad.append(host)

    sys.addaudithook(hear)  # stays, and sleeps when the block is left
    yield abroad
    watching = False


@dataclass
class Visit:
    """A page that is open. complaints: what its console says is wrong. abroad: addresses elsewhere that it asked for.
    begun: how many pieces of work it asked the server for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)
    begun: int = 0

    def requested(self, url: str, home: str) -> None:
        """Note a request."""
        if not url.startswith((home, "data:", "blob:")):
            self.abroad.append(url)
        self.begun += "/queue/join" in url

    def tab(self, name: str) -> None:
        """Open a tab once the page is settled, and let it fill itself."""
        self.settled()
        self.page.get_by_role("tab", name=name).click()
        self.settled()

    def say(self, text: str) -> None:
        """Type it, and wait for the answers. The guard holds back much of what the sample's people say, so that one in
        forty answers is none: then it is asked again."""
        before = self.answers
        for typed in (text, "", "", ""):
            self.type(typed)
            self.page.wait_for_function(_ANSWERED, arg=before)
            if self.answers > before:
                break
            self.page.locator(".toast-close").first.click()
            self.page.get_by_text(_SILENT).wait_for(state="hidden")
        self.settled()

    def type(self, text: str) -> None:
        """Type it where one speaks, and send it."""
        self.page.fill("#chat-text textarea", text)
        self.settled()
        self.page.press("#chat-text textarea", "Enter")

    def again(self) -> None:
        """Let the last answer be said again, and wait for it: that is two pieces of work."""
        before = self.begun
        self.page.get_by_label("Retry").last.click()
        while self.begun < before + 2:
            self.page.wait_for_timeout(20)
        self.settled()

    def settled(self) -> None:
        """Wait until nothing is being made, and the page stays as it is for a moment. To be done before whatever starts
        work: Gradio's page loses what is asked in the instant in which it hangs up after the work before."""
        self.page.wait_for_function(_QUIET)

    @property
    def answers(self) -> int:
        """How many bubbles of the persona's stand there."""
        return self.page.locator(".bot.message").count()


@contextlib.contextmanager
def visit(browser: Browser, address: str, size: dict[str, int] = DESK, scheme: str = "light") -> Iterator[Visit]:
    """Open the page; what it complained of and whom it asked is noted. scheme: light or dark."""
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(120_000)  # other sessions may share the machine
    opened = Visit(page)
    page.on("console", lambda line: opened.complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: opened.requested(request.url, address))
    page.goto(address)
    page.get_by_role("tab").first.wait_for()
    opened.settled()
    yield opened
    page.close()
