"""`python -m bot chat` in a real terminal: leaving, editing, history, help, and lines that stay whole."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.conftest import ROOT, Home

OPENING = "You are talking to Mara Voss.*leaves"
AT_ONCE = 5.0  # seconds, on a busy machine; it took 25
UP, LEFT = "\x1b[A", "\x1b[D"


class Chat:
    """A chat in a pseudo-terminal of 80 columns."""

    def __init__(self, home: Home, term: str = "xterm") -> None:
        words = ["-m", "bot", "chat", "--config", str(home.config)]
        environment: dict[str, str] = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": term, "OMP_NUM_THREADS": "1"}
        self.process: Any = pexpect.spawn(
            sys.executable, words, cwd=str(ROOT), env=environment, encoding="utf-8", dimensions=(24, 80), timeout=30
        )
        self.process.delaybeforesend = 0

    def opened(self) -> "Chat":
        self.process.expect(OPENING)
        return self

    def types(self, text: str) -> None:
        self.process.send(text)

    def sees(self, pattern: str) -> str:
        """Wait for what is shown; returns what came before."""
        self.process.expect(pattern)
        return str(self.process.before)

    def left(self) -> tuple[int | None, float, str]:
        """Its exit code, the seconds until it ended, and what was still shown."""
        began = time.monotonic()
        self.process.expect(pexpect.EOF, timeout=60)
        took = time.monotonic() - began
        self.process.wait()  # it closes its terminal before it ends, and close() would hang up on it
        self.process.close()
        return self.process.exitstatus, took, plain(str(self.process.before))


def plain(shown: str) -> str:
    """What was shown, without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", shown)


@pytest.fixture
def chat(home: Home) -> Iterator[Chat]:
    chat = Chat(home)
    yield chat
    chat.process.close(force=True)


@pytest.mark.parametrize("leave", ["\x03", "\x04", "/quit\r"], ids=["ctrl-c", "ctrl-d", "quit"])
@pytest.mark.parametrize("while_it_types", [False, True])
def test_leaving_takes_no_time(chat: Chat, leave: str, while_it_types: bool) -> None:
    """Whether it has just been asked something or not; and that is no fault."""
    chat.opened()
    if while_it_types:
        chat.types("are you there?\r")
        chat.sees("is typing")
    chat.types(leave)
    code, took, shown = chat.left()
    assert (code, took < AT_ONCE) == (0, True), (took, shown)
    assert "Traceback" not in shown
    assert "WARNING" not in shown


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.0])
def test_ctrl_c_while_it_wakes_leaves_at_once(chat: Chat, seconds: float) -> None:
    """A large model takes a minute to load; nobody has to wait for it in order to leave."""
    time.sleep(seconds)
    chat.process.sendintr()
    code, took, shown = chat.left()
    assert took < AT_ONCE
    assert code in (0, 130), shown
    assert "Traceback" not in shown


def test_what_is_left_unanswered_is_not_answered_in_the_next_chat(home: Home) -> None:
    """It would come out of the blue."""
    first = Chat(home).opened()
    first.types("never mind\r")
    first.sees("is typing")
    first.types("\x03")
    first.left()
    second = Chat(home).opened()
    time.sleep(3)
    second.types("/quit\r")
    assert "Mara Voss: " not in second.left()[2]


def test_lines_typed_ahead_stay_whole(home: Home, chat: Chat) -> None:
    """What is typed while it wakes and while it answers is there afterwards, and its reply stands on a line of its own."""
    chat.types("hello th")
    chat.opened()
    chat.types("ere\r")
    chat.sees("is typing")
    chat.types("and one mo")
    before = chat.sees("Mara Voss: ")
    assert re.search(r"\x1b\[15D\x1b\[J(\x1b\[0m)?$", re.sub(r"\x1b\[\?[0-9]*[lh]", "", before)), (
        "the prompt is in the way"
    )
    chat.types("re thing\r")
    chat.sees("is typing")
    chat.sees("Mara Voss: ")
    chat.types("/quit\r")
    chat.left()
    assert typed_in(home.config) == ["hello there", "and one more thing"]


def typed_in(config: Path) -> list[str]:
    """What the store remembers of the one who typed."""
    import asyncio

    from bot.store import BotStore
    from bot.store.address import store_url
    from persona.config import load

    async def read() -> list[str]:
        settings = load(config)
        store = await BotStore.open(store_url(settings), settings.state)
        try:
            messages = await store.memory.latest("terminal:MARA VOSS", "terminal:chat", 50)
            return [line for message in messages if message.author_id for line in message.lines]
        finally:
            await store.close()

    return asyncio.run(read())


def test_a_line_can_be_edited_and_called_back(chat: Chat) -> None:
    """Arrow keys move; the last line comes back."""
    chat.opened()
    chat.types(f"/hlp{LEFT}{LEFT}e\r")
    chat.sees("/quit +Leave")
    chat.types("/nosuch\r")
    chat.sees("there is no /nosuch; /help lists what there is")
    chat.types(f"{UP}{UP}\r")
    chat.sees("/quit +Leave")


def test_the_owners_commands_work_here(chat: Chat) -> None:
    """Whoever sits at the terminal owns the bot."""
    chat.opened()
    chat.types("/status\r")
    chat.sees("engine: ")
    chat.types("/reset\r")
    chat.sees("you:")
