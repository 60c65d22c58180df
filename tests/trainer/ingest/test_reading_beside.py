"""A process of its own reads a large export: what it says, how it ends, and what its death is called."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator

import pytest

from persona.errors import SettingsError, UserError
from trainer.ingest.reading_beside import is_worth_a_process, read_beside

State = dict[str, int]


def counting(state: State, on_bytes: Callable[[int], None]) -> Iterator[int]:
    """Count to state["last"]; for ever if there is none."""
    number = 0
    while number != state.get("last"):
        on_bytes(1)
        yield (number := number + 1)
    state["counted"] = number


def dying(state: State, on_bytes: Callable[[int], None]) -> Iterator[int]:
    """Be killed from outside."""
    yield 1
    os.kill(os.getpid(), signal.SIGKILL)


def failing(state: State, on_bytes: Callable[[int], None]) -> Iterator[int]:
    """Meet a mistake in the settings."""
    yield 1
    raise SettingsError("[data] persona_role is none")


def begun(work: Callable[..., Iterator[int]], state: State, on_bytes: list[int]) -> Generator[int, None, State]:
    return read_beside("big.json", work, state, on_bytes.append, lambda: None)


def test_what_is_read_comes_in_order_with_what_was_learned() -> None:
    """All of it, the bytes too; the state that was given stays as it is."""
    given, counted = {"last": 2000}, list[int]()
    reading = begun(counting, given, counted)
    read: list[int] = []
    with pytest.raises(StopIteration) as end:
        while True:
            read.append(next(reading))
    assert read == [*range(1, 2001)]
    assert end.value.value == {"last": 2000, "counted": 2000}
    assert given == {"last": 2000}
    assert sum(counted) == 2000


def test_a_process_that_is_killed_is_a_sentence() -> None:
    """It names the export; nothing goes on as if it had ended."""
    with pytest.raises(UserError, match=r"ended from outside, big\.json was not read"):
        list(begun(dying, {}, []))


def test_a_fault_is_raised_where_the_import_waits() -> None:
    """As it is where one process does all."""
    with pytest.raises(SettingsError, match="persona_role"):
        list(begun(failing, {}, []))


def test_an_import_that_is_given_up_ends_its_process() -> None:
    """Ctrl-C, while the other would read for ever."""
    reading = begun(counting, {}, [])
    assert next(reading) == 1
    with pytest.raises(KeyboardInterrupt):
        reading.throw(KeyboardInterrupt)
    assert not multiprocessing.active_children()


def test_one_core_and_small_files_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """To start it would take longer than it saves."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert is_worth_a_process(1 << 30)
    assert not is_worth_a_process(1 << 20)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert not is_worth_a_process(1 << 30)
