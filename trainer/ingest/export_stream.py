"""One export -> its messages, some at a time, with what is made of them. What goes wrong in it is its last Reject."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from persona.command import debugging
from persona.errors import SettingsError, UserError
from trainer.sources.message import Message, Reject
from trainer.sources.registry import Export

BATCH = 512  # messages that are cleaned, and go from process to process, at a time

Made = TypeVar("Made")
Make = Callable[[Sequence[Message]], Sequence[Made]]


class MessageBatch(NamedTuple, Generic[Made]):
    """Messages of an export, in order. made: of each of them. rejects: what could not be read between them."""

    messages: Sequence[Message]
    made: Sequence[Made]
    rejects: Sequence[Reject] = ()


class Stopped(Exception):
    """The import was interrupted while this process read for it."""


def made(export: Export, make: Make[Made], on_bytes: Callable[[int], None]) -> Iterator[MessageBatch[Made]]:
    """Yield the messages of an export, with what `make` makes of them."""
    items = _guarded(export, on_bytes)
    while some := list(islice(items, BATCH)):
        messages = [item for item in some if isinstance(item, Message)]
        rejects = [item for item in some if isinstance(item, Reject)] if len(messages) < len(some) else ()
        yield MessageBatch(messages, make(messages), rejects)


def _guarded(export: Export, on_bytes: Callable[[int], None]) -> Iterator[Message | Reject]:
    """Yield what is in an export; a fault ends it and is its last Reject: it must not cost the other exports."""
    try:
        yield from export.read(on_bytes)
    except (SettingsError, Stopped):
        raise
    except UserError as error:
        yield Reject(file=export.label, offset=0, reason=str(error))
    except Exception as error:  # the one broad catch: a mistake in one reader
        if debugging():
            raise
        reason = f"the reader failed here ({type(error).__name__}: {error}): a mistake in alterego, please report it"
        yield Reject(file=export.label, offset=0, reason=reason)
