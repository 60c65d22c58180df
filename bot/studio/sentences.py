"""A fault on the page: its sentence, and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from bot.engine.base import EngineError
from persona.fault import Fault


@contextmanager
def sentences() -> Iterator[None]:
    """Shows what a user can mend as a note on the page."""
    try:
        yield
    except (Fault, EngineError) as error:
        raise gr.Error(f"{error}", duration=20, print_exception=False) from error
