"""The store: what is committed is there, once, and in order."""

from pathlib import Path

import pytest

from bot.store import Bearer, Heard, Store
from persona.fault import Fault, SettingsFault


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    return await Store.open("sqlite:///store.db", tmp_path)


def heard(number: int, **more: object) -> Heard:
    return Heard("discord:1", "discord:c", str(number), "u", "BOB", (f"line {number}",), float(number), **more)  # type: ignore[arg-type]


async def test_a_message_told_twice_is_kept_once(store: Store) -> None:
    """Duplicate events are Discord's habit."""
    assert await store.commit(heard(1, wanted=True)) == 1
    assert await store.commit(heard(1, wanted=True)) is None
    assert [one.message_id for one in await store.waiting("discord:1")] == ["1"]
    assert await store.watermarks("discord:1") == {"discord:c": "1"}
    await store.close()


async def test_memory_ends_with_the_message_that_called(store: Store) -> None:
    """What came later is not answered yet."""
    for number in range(5):
        await store.commit(heard(number))
    remembered = await store.remembered("discord:1", "discord:c", "3", 3)
    assert [one.lines for one in remembered] == [("line 1",), ("line 2",), ("line 3",)]
    assert await store.remembered("discord:1", "discord:other", "3", 3) == []
    await store.close()


async def test_a_verdict_and_its_posts_are_one_step(store: Store) -> None:
    """Settling twice makes no second posts."""
    await store.commit(heard(1, wanted=True))
    (waiting,) = await store.waiting("discord:1")
    posts = await store.settle(waiting, "answered", "called", ["a", "b"])
    assert [(post.part, post.reply_to, post.after) for post in posts] == [(0, "1", "1"), (1, "", "1")]
    assert await store.settle(waiting, "answered", "called", ["a", "b"]) == []
    assert await store.waiting("discord:1") == []
    assert len(await store.unsent("discord:1")) == 2
    await store.sent(posts[0], "77", "MARA", ("a",))
    assert [post.part for post in await store.unsent("discord:1")] == [1]
    assert (await store.remembered("discord:1", "discord:c", "77", 1))[0].speaker == "MARA"
    await store.close()


async def test_old_rows_are_purged_but_nothing_that_is_still_to_do(store: Store) -> None:
    """keep_days is for memory, not for work."""
    await store.commit(heard(1, wanted=True))
    (waiting,) = await store.waiting("discord:1")
    assert await store.purge(30) == 1  # the memory of 1970
    assert await store.waiting("discord:1") == [waiting]
    await store.close()


async def test_bearers_of_keys_are_kept_per_channel(store: Store) -> None:
    """The same person may be called otherwise elsewhere."""
    await store.keep_bearer("a", "c", "5", Bearer("BOB 2", "Bob"))
    assert await store.bearers("a", "c") == {"5": Bearer("BOB 2", "Bob")}
    assert await store.bearers("a", "d") == {}
    await store.close()


@pytest.mark.parametrize("url", ["mysql://x:secret@y/z", "nonsense", "sqlite://"])
async def test_a_store_that_cannot_be_opened_is_a_sentence_without_its_password(tmp_path: Path, url: str) -> None:
    """With where to look."""
    with pytest.raises((SettingsFault, Fault)) as fault:
        await Store.open(url, tmp_path)
    assert "store" in str(fault.value)
    assert "secret" not in str(fault.value)


async def test_a_file_that_is_no_store_is_a_sentence(tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "store.db").write_text("my diary, " * 100)
    with pytest.raises(Fault, match="can't be opened \\(file is not a database\\)"):
        await Store.open("sqlite:///store.db", tmp_path)
    assert (tmp_path / "store.db").read_text() == "my diary, " * 100


async def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """SQLite makes no folders."""
    with pytest.raises(Fault, match="is no folder; make it"):
        await Store.open("sqlite:///no/such/store.db", tmp_path)
