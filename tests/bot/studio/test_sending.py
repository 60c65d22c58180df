"""A tweet that is sent from the page goes out through the daemon."""

import asyncio
from pathlib import Path

import pytest

from bot.store import Answer, BotStore
from bot.studio.sending import hand_in
from persona.errors import UserError
from tests.bot.rooms import QUICK, inhabited


async def test_the_daemon_sends_what_the_studio_put_into_the_outbox_once(tmp_path: Path) -> None:
    """While it runs, from another connection to the same store, and never says it again of itself."""
    async with inhabited(tmp_path, QUICK) as home:
        store = await BotStore.open("sqlite:///alterego.db", tmp_path)
        await hand_in(store, "discord:7", ("the heron is *back*", "twice"))
        (posted,) = await home.posted(1)
        await asyncio.sleep(0.3)
        assert len(home.room.posted) == 1
        assert "heron" in posted
        assert await store.timetable.tweeted() == ["the heron is *back*\ntwice"]
        await store.close()


async def test_what_can_go_nowhere_is_a_sentence(tmp_path: Path) -> None:
    """A place that is none, and a platform on which nobody speaks."""
    store = await BotStore.open("sqlite:///alterego.db", tmp_path)
    for target, why in (("everywhere", "no place"), ("", "no place"), ("telegram:-5", "never on Telegram")):
        with pytest.raises(UserError, match=why):
            await hand_in(store, target, ("hello",))
    await store.close()


async def test_ratings_on_the_page_are_kept_and_forgotten_as_others_are(tmp_path: Path) -> None:
    """The last one counts; the owner's leave nothing behind."""
    store = await BotStore.open("sqlite:///alterego.db", tmp_path)
    place = ("studio:page", "studio:dm", "a1", "owner", Answer("# dm\n", "hm", "MARA VOSS 2024", ("owner",)))
    await store.people.rate_answer(*place, 1)
    await store.people.rate_answer(*place, -1)
    receipt = await store.people.forget("studio", "owner")
    assert receipt.feedback == 1
    await store.people.rate_answer(*place, 1)
    await store.people.rate_answer(*place, 0)
    assert (await store.people.forget("studio", "owner")).feedback == 0
    await store.close()
