"""What the tabs share: the settings as they are now, the voices that are open, the store. Knows nothing of Gradio."""

import asyncio
import logging
from pathlib import Path

from bot.daemon import store_url
from bot.engine.choose import open_voice_of
from bot.engine.voice import Voice
from bot.store import Store
from bot.studio.running import Run
from persona.bundle import CURRENT, open_bundle
from persona.config import Settings, load
from persona.fault import Fault

log = logging.getLogger("alterego.studio")

MOST_VOICES = 3  # open at once: two side by side, and one that plays everybody


class Studio:
    """One persona's studio. config: the settings file, read anew whenever it is asked for."""

    def __init__(self, config: Path) -> None:
        self.config = config.absolute()
        self._voices: dict[tuple[Path, bool], Voice] = {}  # in the order of their last use
        self._opening = asyncio.Lock()
        self._store: Store | None = None
        self.training: Run | None = None

    @property
    def settings(self) -> Settings:
        """The settings as the file has them now. Raises SettingsFault."""
        return load(self.config)

    async def voice(self, version: str = "", *, merge: bool = True) -> Voice:
        """The voice of an adapter version ("" is the current one), its engine started. merge: False keeps the base's own
        voice at hand. Raises Fault where it can't speak."""
        settings = self.settings
        folder = (settings.adapters / (version or CURRENT)).resolve()
        async with self._opening:
            if (folder, merge) not in self._voices:
                await self._let_go(MOST_VOICES - 1)
                self._voices[folder, merge] = await self._opened(settings, folder, merge)
            voice = self._voices[folder, merge] = self._voices.pop((folder, merge))
            return voice

    async def _opened(self, settings: Settings, folder: Path, merge: bool) -> Voice:
        bundle = await asyncio.to_thread(open_bundle, folder)  # which looks at every byte of it
        voice = await asyncio.to_thread(open_voice_of, settings, bundle, merge=merge)
        await voice.engine.start()
        log.info("voice open version=%s engine=%s", bundle.version, voice.engine.name)
        return voice

    async def store(self) -> Store:
        """The daemon's store. Raises Fault where it can't be opened."""
        async with self._opening:
            if self._store is None:
                settings = self.settings
                self._store = await Store.open(store_url(settings), settings.state)
            return self._store

    async def train(self) -> None:
        """Begin a training. Raises Fault where one runs."""
        if self.training and not self.training.is_over:
            raise Fault("a training runs already; stop it first")
        self.training = await Run.begin(self.config, "train", "--progress")

    async def close(self) -> None:
        """Let go of everything; a training is interrupted, and goes on from its last checkpoint when it is started anew."""
        if self.training:
            await self.training.stop()
        await self._let_go(0)
        if self._store:
            await self._store.close()

    async def _let_go(self, left: int) -> None:
        """Close the voices that were used least recently, until so many are left."""
        while len(self._voices) > left:
            voice = self._voices.pop(next(iter(self._voices)))
            await voice.engine.close()
