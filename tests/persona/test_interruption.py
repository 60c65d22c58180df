"""Ctrl-C before a command has begun, and after."""

import subprocess
import sys

import pytest

PRESSED = "; import os; os.kill(os.getpid(), 2)"


@pytest.mark.parametrize(
    ("calls", "code", "traceback"),
    [
        ("end_quietly()", -2, False),
        ("end_quietly(); raise_interrupts()", -2, True),  # Python prints it, and ends by the signal
        ("signal.signal(2, signal.SIG_IGN); end_quietly(); raise_interrupts()", 0, False),  # as nohup and & have it
    ],
)
def test_it_ends_the_process_without_a_word_until_a_command_runs(calls: str, code: int, traceback: bool) -> None:
    """And whoever had it ignored is left that."""
    script = f"import signal; signal.signal(2, signal.default_int_handler); from persona.interruption import *; {calls}{PRESSED}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "KeyboardInterrupt" in done.stderr) == (code, traceback), done.stderr
