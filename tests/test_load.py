"""Many at once, and for long: the small forms here, the real ones in `make check-slow` and `make soak`."""

from pathlib import Path

import pytest

from tests.load.burst import MIB, burst
from tests.load.soak import soak


async def test_a_burst_loses_nothing_and_a_noisy_channel_delays_no_other_by_all_of_its_own(tmp_path: Path) -> None:
    """200 mentions, half of them in one channel and said first; the nine others are answered in between."""
    outcome = await burst(200, 10, tmp_path, patience=120)
    print(outcome)
    assert outcome.lost == 0
    assert outcome.ahead < 50


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_ten_thousand_mentions_at_once_over_two_hundred_channels(tmp_path: Path) -> None:
    """None lost, memory bounded, the first answer in each of 199 channels before a tenth of the noisy one's."""
    outcome = await burst(10_000, 200, tmp_path, patience=1200)
    print(outcome)
    assert outcome.lost == 0
    assert outcome.ahead < 500
    assert outcome.grown < 200 * MIB


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_minutes_of_talk_leave_memory_and_handles_flat(tmp_path: Path) -> None:
    """`make soak` takes an hour."""
    outcome = await soak(2, tmp_path)
    print(outcome)
    assert outcome.lost == 0
    assert outcome.memory[1] < outcome.memory[0] * 1.1
    assert outcome.handles[1] <= outcome.handles[0] + 3
