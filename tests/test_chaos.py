"""A smoke of every kind of fault; `make chaos N=200` draws them at random, each in a world of its own."""

import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.run import Run

pytestmark = [  # libraries complain about connections that we cut
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
ALONE = [
    ("discord", "missed heartbeats"),
    ("discord", "kill -9 before a commit"),
    ("telegram", "kill -9 while sampling"),
    ("telegram", "kill -9 when a post arrives"),
    ("discord", "kill -9 when a post is made"),
    ("telegram", "its own rhythm: kill -9 while they wait"),
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Faults are loud."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("platform", ["discord", "telegram"])
async def test_one_daemon_survives_every_fault_that_leaves_it_alive(tmp_path: Path, platform: str) -> None:
    """One after the other; after each, every mention has one verdict that fits what was posted."""
    run = Run(platform, tmp_path, Random(7), kills=False, around=1)
    await run.start()
    try:
        for fault in _kinds(platform):
            await fault.body(run)
            await run.settled()
            fate = run.fate(doubtful=fault.doubtful, declines=fault.declines)
            assert fate.good, f"{fault.name}: {fate}"
            run.begin_anew()
    finally:
        await run.stop()


@pytest.mark.parametrize(("platform", "name"), ALONE)
async def test_a_killed_or_unheard_daemon_loses_and_doubles_nothing(tmp_path: Path, platform: str, name: str) -> None:
    """Whatever it was at; each in a world of its own."""
    fault = next(one for one in FAULTS if (one.platform, one.name) == (platform, name))
    run = Run(platform, tmp_path, Random(7), kills=fault.kills, dead=fault.dead)
    await run.start()
    try:
        await fault.body(run)
        await run.settled()
        fate = run.fate(doubtful=fault.doubtful, declines=fault.declines)
        assert fate.good, fate
        assert sum(fate.verdicts.values()) == len(run.mentions)
    finally:
        await run.stop()


def _kinds(platform: str) -> list[Fault]:
    """The kinds in the order of their names, but what changes the world for good comes last."""
    last = (
        "group moves",
        "it introduces itself, and a post is cut",
        "its own rhythm: the clock jumps",
        "stopped and started",
    )
    kinds = [one for one in FAULTS if one.platform == platform and not one.kills and one.name != "missed heartbeats"]
    return sorted(kinds, key=lambda one: (one.name in last, one.name))
