"""What the tabs share, and what they say when something under them breaks."""

import asyncio
import sqlite3
from pathlib import Path

import gradio as gr
import pytest
from sqlalchemy.exc import OperationalError

from bot.studio.adapters_part import Adapters
from bot.studio.game_tab import Game
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from persona.errors import PermanentError, UserError
from tests.conftest import Home


async def test_two_pages_start_one_training(bare_home: Home) -> None:
    """Even at the same moment."""
    studio = Studio(bare_home.config)
    faults = await asyncio.gather(studio.train(), studio.train(), return_exceptions=True)
    assert sorted(map(str, faults)) == ["None", "a training runs already; stop it first"]
    await studio.close()


async def test_nothing_that_was_started_outlives_the_studio(bare_home: Home, tmp_path: Path) -> None:
    """Nor does it end without a sentence, however early it is stopped."""
    studio = Studio(bare_home.config)
    run = await studio.run("import", "--look", str(tmp_path))
    await studio.close()
    assert run.is_over
    with pytest.raises(UserError, match="interrupted"):
        await run.result()


async def test_a_voice_speaks_by_the_settings_as_they_are_now(trained: Home, tmp_path: Path) -> None:
    """What is blocked from now on is not said from now on; an adapter that is gone speaks no longer."""
    (tmp_path / "adapters").mkdir()
    versions = next((trained.folder / "adapters").iterdir())
    (tmp_path / "adapters" / versions.name).symlink_to(versions)
    text = trained.config.read_text(encoding="utf-8") + '[engine]\nkind = "transformers"\n'
    home = Home(tmp_path).settings(text)
    studio = Studio(home.config)
    before = await studio.voice()
    assert await studio.voice() is before
    assert before.guard.check("the heron again") == ""
    home.settings(text.replace("[data]\n", '[data]\nblocked_words = ["heron"]\n'))
    assert (await studio.voice()).guard.check("the heron again")
    (tmp_path / "adapters" / versions.name).unlink()
    with pytest.raises(PermanentError, match="has no"):
        await studio.voice()
    await studio.close()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError('<img src="x" onerror="alert(1)"> is no export'), "&lt;img src=&quot;x&quot;"),
        (
            PermissionError(13, "Permission denied", "/home/mara/persona.toml"),
            "/home/mara/persona.toml: permission denied",
        ),
        (
            OperationalError("insert", {"completion": "a secret"}, sqlite3.OperationalError("disk is full")),
            "(disk is full)",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: a secret"), "memory ran out; close other programs"),
    ],
)
def test_what_breaks_is_told_to_the_letter(error: Exception, sentence: str) -> None:
    """Names are no HTML, and what was to be written stays unsaid."""
    with pytest.raises(gr.Error) as shown, sentences():
        raise error
    assert sentence in shown.value.message
    assert "secret" not in shown.value.message
    assert not shown.value.print_exception


def test_what_is_no_memory_s_fault_is_not_told_as_one() -> None:
    """A mistake of ours stays one."""
    with pytest.raises(RuntimeError, match="a shape"), sentences():
        raise RuntimeError("a shape")


async def test_settings_that_break_while_the_page_is_open_are_told_in_place(bare_home: Home) -> None:
    """The table is asked for every second while a training ends. In a loop, as Gradio wants it."""
    with gr.Blocks(analytics_enabled=False):
        adapters = Adapters(Studio(bare_home.config))
    assert adapters.now()[0] == ""
    bare_home.settings("[persona\n")
    assert "is not valid TOML" in adapters.now()[0]
    bare_home.config.unlink()
    assert adapters.now()[0] == "", "nothing is set up yet, which is no fault"


def test_a_second_click_plays_no_round_that_is_not_there() -> None:
    """The result is what it was."""
    game = Game(({"real": 0},), "alterego-1-2-").chosen(0)
    assert game.is_over
    assert game.chosen(1) == game
