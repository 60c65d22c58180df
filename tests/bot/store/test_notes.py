"""Notes: kept once, in order, until they are taken back or whoever gave them is forgotten."""

from bot.store import BotStore
from tests.bot.store.conftest import Clock


async def test_notes_are_kept_until_taken_back(store: BotStore, clock: Clock) -> None:
    """Oldest first; the same words are one note; purging doesn't touch them."""
    first = await store.notes.add("I moved to Graz in May")
    clock.now += 1e9
    second = await store.notes.add("my cat is called Pixel", "discord:5")
    assert await store.notes.add("I moved to Graz in May") == first
    await store.purge(1)
    assert await store.notes.all() == [first, second]
    assert await store.notes.remove(first.id)
    assert not await store.notes.remove(first.id)
    assert [note.words for note in await store.notes.all()] == ["my cat is called Pixel"]


async def test_whoever_is_forgotten_takes_their_notes_along(store: BotStore) -> None:
    """Counted in the receipt; those of others, and of the command line, stay."""
    for author in ("discord:5", "discord:6", "telegram:5", ""):
        await store.notes.add(f"by {author}", author)
    receipt = await store.people.forget("discord", "5")
    assert (receipt.notes, receipt.rows) == (1, 1)
    assert [note.words for note in await store.notes.all()] == ["by discord:6", "by telegram:5", "by "]
