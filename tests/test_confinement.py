"""The daemon and the training under the limits of their units, as another user: a unit can be rated safe and never answer."""

import asyncio
import ctypes.util
import os
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.confinement import NOBODY, command, service
from tests.conftest import ROOT, Home, sample_settings
from tests.fakes.fake_discord import TOKEN, FakeDiscord

TOOLS = ("unshare", "mount", "systemd-analyze")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can set a service's limits"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"one of {', '.join(TOOLS)} is not installed"),
    pytest.mark.skipif(not ctypes.util.find_library("seccomp"), reason="libseccomp is not installed"),
]
UNIT = "alterego-train.service"
PYTHON = "/opt/alterego/.venv/bin/python"
FORBIDDEN = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def refused(name, *words):
    return libc.syscall(*words) == -1 and os.strerror(ctypes.get_errno())
def tried(does):
    try:
        return does() and "done"
    except OSError as error:
        return error.strerror
print(os.getresuid(), os.getgroups())
print(tried(lambda: open("/opt/alterego/bot/x", "w")))
print(tried(lambda: open("/etc/alterego/credentials/discord_token")))
print(tried(lambda: os.listdir("/root/.ssh")), tried(lambda: os.listdir("/home")))
print(tried(lambda: socket.socket(socket.AF_NETLINK)))
print(tried(lambda: os.open("/dev/kmsg", os.O_RDONLY)))
print(tried(lambda: os.sched_setaffinity(0, {0})))
print(tried(lambda: os.setuid(0)))
print("unshare", libc.unshare(0x10000000), os.strerror(ctypes.get_errno()))
print("mount", libc.mount(b"x", b"/tmp", b"tmpfs", 0, None), os.strerror(ctypes.get_errno()))
print("1" in os.listdir("/proc"), os.path.exists("/proc/meminfo"))
open(os.environ["STATE_DIRECTORY"] + "/mine", "w").close()
"""


class Installed:
    """An install under `root` and a state with the session's adapter, which belongs to the service's user."""

    def __init__(self, folder: Path, adapters: Path) -> None:
        self.root, self.state = folder / "root", folder / "state"
        subprocess.run(["sh", "systemd/install.sh", self.root, "/opt/alterego"], cwd=ROOT, check=True)
        shutil.copytree(adapters, self.state / "adapters", symlinks=True)
        (self.root / "etc/alterego/credentials/discord_token").write_text(TOKEN)

    def settings(self, text: str) -> None:
        (self.root / "etc/alterego/persona.toml").write_text(text)

    def lines(self, unit: str) -> list[list[str]]:
        """What a unit starts."""
        limits = service(self.root / "etc/systemd/system" / unit)
        return [shlex.split(line) for line in limits["ExecStart"]]

    def command(self, unit: str, words: list[str]) -> list[str]:
        """What runs it under the unit's limits."""
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", self.state], check=True)
        return command(self.root, unit, self.state, words)


@pytest.fixture
def installed(tmp_path: Path, trained: Home) -> Installed:
    return Installed(tmp_path, trained.folder / "adapters")


@asynccontextmanager
async def confined(words: list[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is ended when the block is left; what it says goes into a file, shown where the test fails."""
    with log.open("w") as out:
        process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        print(log.read_text())


def test_the_limits_are_there(installed: Installed) -> None:
    """What follows would prove nothing if they weren't."""
    words = installed.command("alterego.service", [PYTHON, "-c", FORBIDDEN])
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "(65534, 65534, 65534) []",
        "Read-only file system",
        "Permission denied",
        "No such file or directory No such file or directory",
        "Address family not supported by protocol",
        "No such file or directory",
        "Operation not permitted",
        "Operation not permitted",
        "unshare -1 Operation not permitted",
        "mount -1 Operation not permitted",
        "False True",
    ]
    assert (installed.state / "mine").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["openvino", pytest.param("transformers", marks=pytest.mark.slow)])
async def test_a_real_engine_answers_under_the_units_limits(
    installed: Installed, discord: FakeDiscord, tmp_path: Path, kind: str
) -> None:
    """The command of the unit with the user, the system calls, the devices and the files it allows, its token among
    them; and it ends when it is told to."""
    installed.settings(sample_settings(f'{discord.settings}[engine]\nkind = "{kind}"\n[talk]\ntyping = false\n'))
    (words,) = installed.lines("alterego.service")
    async with confined(installed.command("alterego.service", words), tmp_path / "log") as process:
        await discord.wait_connected()
        asked = await discord.say("are you there?", mention=True)
        (post, *_) = await discord.wait_posts(1, seconds=60)
        assert post["message_reference"]["message_id"] == asked
        told = Path(f"/proc/{process.pid}/status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in told
        assert "NoNewPrivs:\t1\nSeccomp:\t2" in told
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert f"engine={kind}" in (tmp_path / "log").read_text()
    assert (installed.state / "alterego.db").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_the_nightly_training_runs_under_its_units_limits(
    installed: Installed, sample_exports: Path, tmp_path: Path, trained: Home
) -> None:
    """Both of its commands; the second night, with nothing new, trains nothing."""
    shutil.copytree(sample_exports, installed.state / "exports")
    text = trained.config.read_text().replace('["exports"]', '["/var/lib/alterego/exports"]')
    installed.settings(text)
    shutil.rmtree(installed.state / "adapters")

    def run() -> list[str]:
        commands = [installed.command(UNIT, words) for words in installed.lines(UNIT)]
        done = [subprocess.run(one, cwd=ROOT, capture_output=True, text=True) for one in commands]
        assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
        return [one.stdout for one in done]

    assert "sealed" in run()[1]
    current = next(installed.state.glob("adapters/*/current"))
    version = current.readlink()
    assert "sealed" not in run()[1]
    assert current.readlink() == version
