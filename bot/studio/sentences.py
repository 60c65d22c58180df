"""A fault on the page: its sentence, and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import reason_of
from engine.base import EngineError
from persona.errors import UserError, describe_os_error
from persona.out_of_memory import NO_MEMORY, is_out_of_memory


@contextmanager
def sentences() -> Iterator[None]:
    """Shows what a user can mend as a note on the page, to the letter: a note is HTML, and a fault quotes names."""
    try:
        yield
    except (UserError, EngineError) as error:
        raise _note(str(error)) from error
    except (OSError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _note(NO_MEMORY) from error
        if not isinstance(error, OSError):
            raise
        raise _note(describe_os_error(error)) from error
    except SQLAlchemyError as error:
        raise _note(
            f"the store can't be used ({reason_of(error)}); look at its disk and rights, or try again"
        ) from error


def _note(sentence: str) -> gr.Error:
    return gr.Error(escape(sentence), duration=20, print_exception=False)
