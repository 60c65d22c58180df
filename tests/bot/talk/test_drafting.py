"""Drafts that are made anew when what they were made of changes while they are made."""

import asyncio
from pathlib import Path

import pytest

from bot.gateway import IncomingMessage
from tests.bot.rooms import QUICK, inhabited


@pytest.mark.parametrize(("edited", "count"), [(11, 2), (1, 1)])
async def test_an_answer_is_made_anew_if_what_it_was_made_of_was_edited(
    tmp_path: Path, edited: int, count: int
) -> None:
    """Also in the middle of a talk; not for what was read to find the thread and isn't shown."""
    async with inhabited(tmp_path, QUICK + "context_turns = 2\n") as here:
        for number in range(1, 12):
            author = f"{5 + number % 3}"
            await here.say(f"line {number}", number, mention=False, author_id=author, author_name=f"p{author}")
        here.engine.free.clear()
        await here.say("what?", 12)
        async with asyncio.timeout(20):
            while not here.engine.asked:
                await asyncio.sleep(0.005)
        author = f"{5 + edited % 3}"
        change = IncomingMessage("discord:7", f"{edited}", author, f"p{author}", "otherwise", here.clock())
        await here.room.intake.edited(change)
        here.engine.free.set()
        await here.posted(1)
        prompts = [here.daemon._voice.encoding.text(request.ids) for request in here.engine.asked]
        assert ["otherwise" in prompt for prompt in prompts] == [False, True][:count]
