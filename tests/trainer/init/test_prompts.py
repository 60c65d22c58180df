"""Questions on a terminal."""

import os
import pty
import subprocess
import sys

import pytest

ASKS = "from trainer.commands.init import Prompts; print('said', Prompts().ask('Who are you?', 'Mara'))"


@pytest.mark.parametrize(
    ("term", "keys", "said"),
    [
        ("xterm", b"pria\x1b[Dy\r", "priya"),  # one to the left
        ("xterm", b"\r", "Mara"),
        ("dumb", b"priya\r", "priya"),
    ],
)
def test_an_answer_can_be_edited(term: str, keys: bytes, said: str) -> None:
    """With the arrow keys, where the terminal can; Enter alone takes what is suggested."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": term}
    process = subprocess.Popen(
        [sys.executable, "-c", ASKS], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    shown = b""
    while b"[Mara]:" not in shown:
        shown += os.read(master, 4096)
    os.write(master, keys)
    while f"said {said}\r\n".encode() not in shown:
        shown += os.read(master, 4096)  # raises OSError once the process has ended without it
    assert process.wait() == 0
    os.close(master)
