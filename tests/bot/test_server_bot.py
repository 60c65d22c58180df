"""The daemon whose model runs elsewhere: what happens to those who write while the server is away."""

import asyncio
import sqlite3

import pytest

from bot.daemon import BotDaemon, Pauses
from bot.enabled_gateways import gateways_of
from bot.store import BotStore
from engine.choose import open_voice
from persona.bundle import current
from persona.config import load
from tests.bot.test_memory import until_settled
from tests.conftest import Home, sample_settings
from tests.fakes.fake_discord import TOKEN, FakeDiscord
from tests.llama_server import LlamaServer


@pytest.mark.slow
async def test_while_the_server_is_away_it_stays_up_and_answers_later(
    home: Home, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away when the daemon starts, and killed again after the first answer: every mention gets its verdict in the end, and
    never for the server's absence. Pauses are short here; by themselves they grow to a minute, however soon it is back."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    server = LlamaServer(current(load(home.config, {}).adapters).folder / "model.gguf")
    places = f'[discord]\nenabled = true\napi_base = "{discord.api_base}"\ngateway_url = "{discord.gateway_url}"\n'
    engine = f'[engine]\nkind = "server"\nurl = "{server.url}"\n'
    settings = load(home.settings(sample_settings(f"{places}{engine}[talk]\ntyping = false\n")).config, {})
    store = await BotStore.open(settings.store.url, settings.state)
    voice = open_voice(settings)
    await voice.engine.start()
    stopping = asyncio.Event()
    daemon = BotDaemon(settings, store, voice, gateways_of(settings), Pauses(work=(0.1, 1.0)))
    running = asyncio.create_task(daemon.run(stopping, False))
    await discord.wait_connected()
    first = await discord.say("are you there?", mention=True)
    await asyncio.sleep(0.2)
    assert discord.posts == []
    await server.start()
    await until_settled(home, 1, seconds=120)
    server.kill()
    second = await discord.say("and now?", mention=True)
    await asyncio.sleep(0.2)
    await server.start()
    found = await until_settled(home, 2, seconds=120)
    stopping.set()
    await running
    assert [message for message, _ in found] == [first, second]
    answered = [post["message_reference"]["message_id"] for post in discord.posts if "message_reference" in post]
    assert answered == [message for message, verdict in found if verdict == "answered"]
    with sqlite3.connect(
        home.folder / "alterego.db"
    ) as raw:  # a model as small as this one may repeat itself, or a copy
        assert {row[0] for row in raw.execute("select reason from inbox")} <= {"mention", "repeated", "guard", "empty"}
    await voice.engine.close()
    await store.close()
    server.kill()
