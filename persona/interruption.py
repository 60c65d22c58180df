"""Ctrl-C while a command's libraries are still imported. Imports nothing that takes time."""

import signal


def end_quietly() -> None:
    """Have a Ctrl-C end the process without a word, for nothing is begun; Python would show where in its imports it was."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_interrupts() -> None:
    """Have a Ctrl-C raise KeyboardInterrupt again, unless whoever started the process has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
