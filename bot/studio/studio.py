"""What the tabs share: the settings as they are now, the voices that are open, the store. Knows nothing of Gradio."""

import asyncio
import logging
from pathlib import Path

from bot.store import BotStore
from bot.store.address import store_url
from bot.studio.bundles import Version, versions_of
from bot.studio.running import Run
from bot.studio.uploads import sweep
from engine.choose import open_voice_of
from engine.voice import Voice
from persona.bundle import CURRENT, open_bundle, read_seal
from persona.config import Settings, load
from persona.errors import UserError
from persona.events import Event

log = logging.getLogger("alterego.studio")

MOST_VOICES = 3  # open at once: two side by side, and one that plays everybody


class Studio:
    """One persona's studio. config: the settings file, which need not be there yet; read anew whenever it is asked for.
    local: nobody but this machine sees the page."""

    def __init__(self, config: Path, *, local: bool = True) -> None:
        self.config = config.absolute()
        self.local = local
        self._voices: dict[tuple[object, ...], Voice] = {}  # in the order of their last use
        self._opening = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._store: BotStore | None = None
        self._runs: list[Run] = []
        self.training: Run | None = None

    @property
    def settings(self) -> Settings:
        """The settings as the file has them now. Raises SettingsError."""
        return load(self.config)

    @property
    def has_settings(self) -> bool:
        """Whether there are settings yet."""
        return self.config.exists()

    @property
    def versions(self) -> list[Version]:
        """The adapter versions that there are, none without settings. Raises SettingsError."""
        return versions_of(self.settings.adapters) if self.has_settings else []

    @property
    def speaks(self) -> bool:
        """Whether a version is current. Raises SettingsError."""
        return any(version.speaks for version in self.versions)

    @property
    def is_training(self) -> bool:
        """Whether a training runs, or is being stopped."""
        return self.training is not None and not self.training.is_over

    async def voice(self, version: str = "", *, merge: bool = True) -> Voice:
        """Return the voice of an adapter version ("" is the current one), its engine started. merge: False keeps the
        base's own voice at hand. What the settings say of guard, sampling and engine holds anew at each call. Raises
        UserError if it can't speak."""
        settings = self.settings
        folder = (settings.adapters / (version or CURRENT)).resolve()
        relevant = settings.engine, settings.sampling, settings.base.model, settings.data.blocked_words
        key = (folder, read_seal(folder).digest, merge, *relevant)
        async with self._opening:
            if key not in self._voices:
                await self._let_go(MOST_VOICES - 1)
                self._voices[key] = await self._opened(settings, folder, merge)
            voice = self._voices[key] = self._voices.pop(key)
            return voice

    async def _opened(self, settings: Settings, folder: Path, merge: bool) -> Voice:
        bundle = await asyncio.to_thread(open_bundle, folder)  # which looks at every byte of it
        voice = await asyncio.to_thread(open_voice_of, settings, bundle, merge=merge)
        await voice.engine.start()
        log.info(Event("voice open", version=bundle.version, engine=voice.engine.name))
        return voice

    async def store(self) -> BotStore:
        """Return the daemon's store. Raises UserError if it can't be opened."""
        async with self._opening:
            if self._store is None:
                settings = self.settings
                self._store = await BotStore.open(store_url(settings), settings.state)
            return self._store

    async def train(self) -> None:
        """Begin a training. Raises UserError if one runs."""
        async with self._starting:  # two pages may ask at the same moment
            if self.is_training:
                raise UserError("a training runs already; stop it first")
            self.training = await self.run("train", "--progress")

    async def run(self, *arguments: str) -> Run:
        """Start a command of the trainer; none outlives the studio."""
        self._runs = [run for run in self._runs if not run.is_over]
        self._runs.append(run := await Run.begin(self.config, *arguments))
        return run

    async def close(self) -> None:
        """Let go of everything. What runs is interrupted; a training goes on from its last checkpoint when it is started
        anew."""
        await asyncio.gather(*(run.stop() for run in self._runs))
        await self._let_go(0)
        if self._store:
            await self._store.close()
        sweep(self.config)

    async def _let_go(self, left: int) -> None:
        """Close the voices that were used least recently, until so many are left."""
        while len(self._voices) > left:
            voice = self._voices.pop(next(iter(self._voices)))
            await voice.engine.close()
