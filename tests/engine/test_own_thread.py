"""Work in a thread that ends."""

import sys
import time
from pathlib import Path

import pytest
import torch

from engine.own_thread import in_own_thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")


def threads() -> set[str]:
    """Of this process, as the system counts them."""
    return {task.name for task in Path("/proc/self/task").iterdir()}


def none_is_new(before: set[str]) -> bool:
    """Within five seconds: a pool goes when its thread is gone."""
    deadline = time.monotonic() + 5
    while threads() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    return threads() <= before


def test_no_pool_is_left() -> None:
    """Work that a pool was made for."""
    block = torch.ones(2000, 2000)
    before = threads()
    assert in_own_thread(lambda: float((block @ block).sum())) == 2000.0**3
    assert none_is_new(before)


def test_a_failure_is_raised_here() -> None:
    """As if it had happened here."""
    with pytest.raises(ZeroDivisionError):
        in_own_thread(lambda: 1 / 0)
