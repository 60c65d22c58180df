"""What came to mind stands beside a reply, folded, and is looked up as live."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.store import Answer, BotStore
from bot.studio.chat_history import Burst, Chat
from bot.studio.memories import came_to_mind, memories_before
from bot.studio.studio import Studio
from persona.archive.index import Archive, build
from persona.archive.passages import Passage
from persona.transcript import Turn
from tests.bot.talk.test_recollection import SECRET, passages
from tests.conftest import Home
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_voice

MADE = Answer("# dm\n", "no", "MARA VOSS 2024", ("owner",))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    path = tmp_path / "archive.sqlite"
    build(path, passages())
    with closing(Archive.open(path)) as opened:
        yield opened


def asked(text: str, speaker: str = "BOB") -> Chat:
    return (Burst(speaker, speaker.title(), (text,)),)


async def test_it_is_looked_up_as_live(bare_home: Home, archive: Archive) -> None:
    """The archive, notes, DMs with that very person alone; nothing in a timeline, or if it is switched off."""
    studio = Studio(bare_home.config, local=True)
    voice = replace(small_voice(FakeEngine()), archive=archive)

    async def mind(scene: str, text: str, speaker: str = "BOB") -> str:
        found = await memories_before(studio, voice, scene, asked(text, speaker))
        return "\n".join(turn.text for passage in found for turn in passage.turns)

    assert "korenlei" in await mind("group", "were the eels good?")
    assert await mind("timeline", "were the eels good?") == ""
    assert SECRET in await mind("dm", "how did one open the safe?", "PRIYA")
    assert SECRET not in await mind("dm", "how did one open the safe?", "JONAS")
    assert SECRET not in await mind("group", "how did one open the safe?", "PRIYA")
    assert not (bare_home.folder / "alterego.db").exists()
    store = await BotStore.open("sqlite:///alterego.db", bare_home.folder)
    await store.notes.add("eels make me ill")
    await store.close()
    assert "eels make me ill" in await mind("group", "were the eels good?")
    bare_home.settings(f"{bare_home.config.read_text()}[talk]\nmemory = false\n")
    assert await mind("group", "were the eels good?") == ""
    await studio.close()


def test_it_stands_folded_beside_the_last_answer() -> None:
    """With its year; what others wrote is text, no markup."""
    passage = Passage((Turn("PRIYA", ("<b>eels</b>",)),), "group", 2019)
    answer = Burst(SPEAKER, "Mara Voss", ("no",), MADE, "a1", mind=(passage,))
    html = came_to_mind((*asked("eels?"), answer), SPEAKER)
    assert html.startswith("<details class=mind><summary>came to mind: 1 earlier talk</summary>")
    assert "2019" in html
    assert "&lt;b&gt;eels&lt;/b&gt;" in html
    assert came_to_mind(asked("eels?")) == ""


def test_it_stands_beside_each_answer() -> None:
    """The last one first; an earlier one is named by how it begins, and one that nothing reminded of has none."""
    passage = Passage((Turn("PRIYA", ("eels",)),), "group", 2019)
    first = Burst(SPEAKER, "Mara Voss", ("i <3 " + "eels " * 20,), MADE, "a1", mind=(passage, passage))
    second = replace(first, lines=("no",), id="a2", mind=())
    third = replace(first, lines=("yes",), id="a3", mind=(passage,))
    html = came_to_mind((*asked("a"), first, *asked("b"), second, *asked("c"), third), SPEAKER)
    summaries = re.findall(r"<summary>(.*?)</summary>", html)
    assert summaries[0] == "came to mind: 1 earlier talk"
    assert re.fullmatch(r"came to mind before “i &lt;3 eels .*…”: 2 earlier talks", summaries[1])
    assert len(summaries) == 2


def test_what_nothing_reminded_of_has_nothing_beside_it() -> None:
    """Before the first answer too."""
    answer = Burst(SPEAKER, "Mara Voss", ("no",), MADE, "a1")
    assert came_to_mind(asked("eels?")) == ""
    assert came_to_mind((*asked("eels?"), answer)) == ""
