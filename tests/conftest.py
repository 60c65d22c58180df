"""What tests share: one sealed bundle for the whole session, platforms on loopback, and processes that are ended."""

import asyncio
import contextlib
import contextvars
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from filelock import FileLock
from hypothesis import HealthCheck, settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the Hub's library is imported
os.environ.setdefault("ALTEREGO_BFLOAT16", "0")  # the same results on any CPU; tests of bfloat16 switch it on
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as commands have it
os.environ["OMP_NUM_THREADS"] = "1"  # models this small only wait for each other on more; read when torch is

from bot.daemon import BotDaemon, Pauses
from bot.enabled_gateways import gateways_of
from bot.store import BotStore
from engine.voice import Voice
from examples.make_sample import make
from persona.command import run
from persona.config import load
from tests.fakes import fake_discord, fake_telegram
from tests.fakes.fake_discord import FakeDiscord
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_telegram import FakeTelegram
from tests.fakes.small_voice import small_voice
from trainer.__main__ import app as trainer

settings.register_profile(  # busy machines; and what is green here is green everywhere
    "shared", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared")

ROOT = Path(__file__).parent.parent
PEOPLE = {
    "JONAS": "Jonas Lindqvist",
    "PRIYA": "Priya Raman",
    "XIAOYU": "小雨",
    "BRAM": "Bram de Wit",
    "NOOR": "Noor Haddad",
}


@dataclass(frozen=True)
class Home:
    """A folder with settings, as a user has it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "persona.toml"

    def settings(self, text: str) -> "Home":
        """Write persona.toml."""
        self.config.write_text(text, encoding="utf-8")
        return self


def run_here(app: typer.Typer, program: str, *arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours in this process, through the same frame as in its own: importing torch takes seconds."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(cwd),
        warnings.catch_warnings(),
        pytest.raises(SystemExit) as ended,
    ):
        contextvars.copy_context().run(run, app, program, arguments)  # which program it was ends with it
    signal.signal(signal.SIGTERM, before)
    code = ended.value.code
    return subprocess.CompletedProcess(arguments, code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


def sample_settings(extra: str = "") -> str:
    """Settings for a small sample, quick to train."""
    people = "".join(f'[people.{key}]\nnames = ["{name}"]\nconsent = true\n' for key, name in PEOPLE.items())
    return f'[persona]\nname = "Mara Voss"\naliases = ["maravoss"]\n{people}[data]\nsources = ["exports"]\n{extra}'


@pytest.fixture(scope="session")
def sample_exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small edition of the sample's three exports."""
    folder = tmp_path_factory.mktemp("sample") / "exports"
    make(folder, seed=11, tweet_count=160, chat_count=420)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, sample_exports: Path) -> Home:
    """A home in which import and train were run by their commands: the one bundle that all tests share, read-only. Where
    several processes test, the first to come makes it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home = Home(shared / "trained")
    with FileLock(shared / "trained.lock"):
        if not home.config.is_file():
            home.folder.mkdir()
            shutil.copytree(sample_exports, home.folder / "exports")
            home.settings(sample_settings("[base]\nminutes = 0.25\n[train]\nepochs = 1\nrank = 8\nmemory = true\n"))
            for words in (("import",), ("train", "--force")):  # what is trained in seconds may be gibberish
                done = run_here(trainer, "python -m trainer", *words, "--config", str(home.config))
                assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(tmp_path: Path, trained: Home) -> Home:
    """A fresh home with the session's adapter in it."""
    (tmp_path / "adapters").symlink_to(trained.folder / "adapters")
    return Home(tmp_path).settings(sample_settings())


@dataclass
class Running:
    """A daemon in this process, over a fake engine and the gateways of its settings."""

    daemon: BotDaemon
    engine: FakeEngine
    voice: Voice
    store: BotStore
    stopping: asyncio.Event
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """As SIGTERM would."""
        self.stopping.set()
        await self.task


StartDaemon = Callable[[Home], Awaitable[Running]]


@pytest.fixture
async def start_daemon(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StartDaemon]:
    """Starts daemons in this process; they speak to the fakes through the real libraries, with words that a test gives."""
    monkeypatch.setenv("DISCORD_TOKEN", fake_discord.TOKEN)
    monkeypatch.setenv("TELEGRAM_TOKEN", fake_telegram.TOKEN)
    running: list[Running] = []

    async def start(home: Home) -> Running:
        settings = load(home.config)
        engine = FakeEngine()
        voice = small_voice(engine)
        store = await BotStore.open(settings.store.url, settings.state)
        stopping = asyncio.Event()
        daemon = BotDaemon(settings, store, voice, gateways_of(settings), Pauses(0.05, 1.0, (0.05, 1.0)))
        task = asyncio.create_task(daemon.run(stopping, until_first_ends=False))
        running.append(Running(daemon, engine, voice, store, stopping, task))
        return running[-1]

    yield start
    for one in running:
        if not one.task.done():
            await one.stop()
        await one.store.close()


@pytest.fixture
def bare_home(tmp_path: Path) -> Home:
    """A home without an adapter, for daemons whose words a test gives."""
    return Home(tmp_path).settings(sample_settings())


@pytest.fixture
def free_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    fake = FakeDiscord()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    fake = FakeTelegram()
    await fake.start()
    yield fake
    await fake.stop()


class Bot:
    """A running `python -m bot run`; what it says on stderr goes into a file."""

    def __init__(self, home: Home, env: dict[str, str]) -> None:
        full = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **env}
        self._log = home.folder / "bot.log"
        with self._log.open("a") as log:
            self._start = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", "--config", str(home.config)],
                cwd=home.folder,
                env=full,
                stderr=log,
            )

    @property
    def said(self) -> str:
        """What it wrote to stderr so far."""
        return self._log.read_text()[self._start :]

    def kill(self) -> None:
        self.process.kill()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, seconds: float = 60) -> int:
        """Its exit code, without blocking the fakes."""
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), seconds)


@pytest.fixture
def start_bot() -> Iterator[Callable[[Home, dict[str, str]], Bot]]:
    """Starts bots; whatever still runs at the end is killed, and what it said is shown where the test failed."""
    running: list[Bot] = []

    def start(home: Home, env: dict[str, str]) -> Bot:
        running.append(Bot(home, env))
        return running[-1]

    yield start
    for bot in running:
        bot.kill()
        bot.process.wait()
        print(bot.said)
