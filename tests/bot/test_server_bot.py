"""The daemon whose model runs elsewhere: what happens to those who write while the server is away."""

import asyncio

import pytest

from bot.daemon import Daemon, gateways_of
from bot.engine.choose import open_voice
from bot.store import Store
from persona.bundle import current
from persona.config import load
from tests.conftest import Home, sample_settings
from tests.fakes.fake_discord import TOKEN, FakeDiscord
from tests.llama_server import LlamaServer


@pytest.mark.slow
async def test_while_the_server_is_away_it_stays_up_and_answers_later(
    home: Home, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away when the daemon starts, and killed again after the first answer: every mention is answered in the end."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    server = LlamaServer(current(load(home.config, {}).adapters).folder / "model.gguf")
    places = f'[discord]\nenabled = true\napi_base = "{discord.api_base}"\ngateway_url = "{discord.gateway_url}"\n'
    engine = f'[engine]\nkind = "server"\nurl = "{server.url}"\n'
    settings = load(home.settings(sample_settings(f"{places}{engine}[talk]\ntyping = false\n")).config, {})
    store = await Store.open(settings.store.url, settings.state)
    voice = open_voice(settings)
    await voice.engine.start()
    stopping = asyncio.Event()
    running = asyncio.create_task(Daemon(settings, store, voice, gateways_of(settings)).run(stopping, False))
    await discord.wait_connected()
    first = await discord.say("are you there?", mention=True)
    await asyncio.sleep(0.2)
    assert discord.posts == []
    await server.start()
    assert (await discord.wait_posts(1))[0]["message_reference"]["message_id"] == first
    server.kill()
    second = await discord.say("and now?", mention=True)
    await asyncio.sleep(0.2)
    await server.start()
    async with asyncio.timeout(60):
        while not any(post.get("message_reference", {}).get("message_id") == second for post in discord.posts):
            await asyncio.sleep(0.05)
    stopping.set()
    await running
    await voice.engine.close()
    await store.close()
    server.kill()
