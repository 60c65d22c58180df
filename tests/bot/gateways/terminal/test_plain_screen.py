"""`python -m bot chat` in a terminal that understands no cursor codes."""

import pytest

from tests.bot.gateways.terminal.test_typed_screen import Chat
from tests.conftest import Home


@pytest.mark.parametrize("leave", ["\x03", "\x04", "/quit\r"], ids=["ctrl-c", "ctrl-d", "quit"])
def test_a_dumb_terminal_is_sent_no_codes(home: Home, leave: str) -> None:
    """What is said stands on lines of its own, below the prompt, and leaving is no fault."""
    chat = Chat(home, "dumb")
    shown = chat.opened().sees("you: ")
    chat.types("are you open today?\r")
    shown += chat.sees("Mara Voss is typing…\r\n")
    shown += chat.sees(r"(?m)^Mara Voss: .*\r\nyou: ")
    chat.types(leave)
    code, _, rest = chat.left()
    assert code == 0, rest
    assert "\x1b" not in shown + rest
