"""From a voice to the page, and from the trainer's process."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.studio.running import Run, in_words
from bot.studio.streaming import Lines, streamed
from engine.voice import OnText
from persona.errors import UserError
from tests.conftest import Home


async def test_words_come_as_they_are_said_and_the_whole_comes_last() -> None:
    """A step that nobody looked at in time is left out."""

    async def speak(on_text: OnText) -> Lines:
        for text in ("it", "it was", "it was the"):
            on_text((text,))
        await asyncio.sleep(0.01)
        return ("it was the canal",)

    async with aclosing(streamed(speak)) as lines:
        assert [step async for step in lines] == [("it was the",), ("it was the canal",)]


async def test_who_leaves_ends_the_speaking() -> None:
    """So a stopped answer costs nothing more."""
    ended = asyncio.Event()

    async def speak(on_text: OnText) -> Lines:
        on_text(("well",))
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ()

    async with aclosing(streamed(speak)) as lines:
        assert await anext(lines) == ("well",)
    assert ended.is_set()


async def test_a_voice_that_fails_fails_where_it_is_heard() -> None:
    """Whatever it said before."""

    async def speak(on_text: OnText) -> Lines:
        on_text(("well",))
        await asyncio.sleep(0)
        raise UserError("no breath")

    with pytest.raises(UserError, match="no breath"):
        async with aclosing(streamed(speak)) as lines:
            assert [step async for step in lines]


async def test_the_trainers_sentence_is_the_faults(bare_home: Home, tmp_path: Path) -> None:
    """Without the name of the program before it."""
    run = await Run.begin(bare_home.config, "import", str(tmp_path / "nowhere"), "--progress")
    async for status in run.steps():
        assert in_words(status)
    with pytest.raises(UserError, match=r"^(?!alterego).*nowhere"):
        await run.result()
    await run.stop()


async def test_an_interrupted_run_says_so(trained: Home, tmp_path: Path) -> None:
    """And leaves nothing half-written."""
    home = Home(tmp_path).settings(trained.config.read_text(encoding="utf-8"))
    run = await Run.begin(home.config, "import", str(trained.folder / "exports"), "--progress")
    async with asyncio.timeout(60):
        while not run.history:
            await asyncio.sleep(0.01)
    await asyncio.gather(run.stop(), run.stop())
    with pytest.raises(UserError, match="interrupted"):
        await run.result()
    assert [path.name for path in tmp_path.iterdir()] == ["persona.toml"]
