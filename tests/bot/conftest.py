"""Servers of Discord with several channels."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.fake_discord import FakeDiscord


@pytest.fixture
async def discord_of_two() -> AsyncIterator[FakeDiscord]:
    """Two channels."""
    fake = FakeDiscord(channels=2)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def discord_of_many() -> AsyncIterator[FakeDiscord]:
    """Two hundred channels."""
    fake = FakeDiscord(channels=200)
    await fake.start()
    yield fake
    await fake.stop()
