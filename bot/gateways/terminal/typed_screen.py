"""The terminal that somebody sits at: editing, history, and replies printed above what is being typed."""

import os
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app, get_app_session
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

LOCAL_MODES = 3  # where tcgetattr's list has them
ERASE_LINE = "\r\x1b[K"


class TypedScreen:
    """A prompt with a line for its status above. Ctrl-C and Ctrl-D end the input; what was typed is kept for this chat
    alone. greeting: shown from entering on until something else is."""

    is_typed = True

    def __init__(self, greeting: str) -> None:
        self._greeting = greeting
        self._prompt = self._status = ""
        self._stack = ExitStack()

    def __enter__(self) -> "TypedScreen":
        """Take the terminal: keys typed ahead wait for the prompt instead of being echoed into what is printed."""
        number = sys.stdin.fileno()
        self._stack.callback(termios.tcsetattr, number, termios.TCSANOW, termios.tcgetattr(number))
        modes = termios.tcgetattr(number)
        modes[LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)  # signals stay: Ctrl-C leaves while a model is loaded
        termios.tcsetattr(number, termios.TCSANOW, modes)
        # don't ask the terminal where its cursor is: some never answer, and the library warns of them
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
        self._output = get_app_session().output
        self._session: PromptSession[str] = PromptSession(
            self._message, history=InMemoryHistory(), reserve_space_for_menu=0, enable_suspend=True
        )
        self._output.write(self._greeting)
        self._output.flush()
        self._stack.callback(self._take_greeting_back)
        self._stack.enter_context(patch_stdout())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def lines(self, prompt: str) -> AsyncIterator[str]:
        """What is typed, until Ctrl-C or Ctrl-D."""
        self._prompt = prompt
        while True:
            try:
                line = await self._session.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return
            yield line

    def show(self, text: str, *, only_typed: bool = False) -> None:
        """Print it above the prompt."""
        self._take_greeting_back()
        print(text, flush=True)

    @contextmanager
    def status(self, text: str) -> Iterator[None]:
        """Show it above the prompt, and take it away again."""
        self._set_status(text)
        try:
            yield
        finally:
            self._set_status("")

    def _set_status(self, text: str) -> None:
        self._status = text
        self._session.app.invalidate()

    def _message(self) -> StyleAndTextTuples:
        """The prompt; a line that was sent stays on the screen without its status."""
        status = f"{self._status}\n" if self._status and not get_app().is_done else ""
        return [("italic", status), ("", self._prompt)]

    def _take_greeting_back(self) -> None:
        if self._greeting:
            self._greeting = ""
            self._output.write_raw(ERASE_LINE)
            self._output.flush()
