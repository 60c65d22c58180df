"""The units: valid, hardened, and what `make install` puts in place. No systemd runs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
EXPOSURE = 1.5  # of 10; what the engines need keeps it from lower
UNITS = [
    "alterego.service",
    "alterego@mara.service",
    "alterego-engine.service",
    "alterego-train.service",
    "alterego-train.timer",
]
NOBODY = "65534"
PYTHON = """#!/bin/sh
echo "user=$(id -u) groups=$(id -G) umask=$(umask)"
echo "arguments=$*"
env
grep -E 'NoNewPrivs|CapEff' /proc/self/status
"""


@dataclass(frozen=True)
class Installed:
    """What an install left under `root`; the program lies at `prefix`, with a Python that tells how it was started."""

    root: Path
    prefix: Path

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def etc(self) -> Path:
        return self.root / "etc/alterego"


def install(root: Path, prefix: Path | str) -> None:
    subprocess.run(["sh", "systemd/install.sh", root, prefix], cwd=ROOT, check=True, capture_output=True)


def uninstall(root: Path, prefix: Path | str) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = ["sh", "systemd/uninstall.sh", root, prefix]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)


@pytest.fixture
def installed() -> Iterator[Installed]:
    """Installed where every user can read it: pytest's own folders are for one."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        root, prefix = Path(name) / "root", Path(name) / "opt/alterego"
        install(root, prefix)
        shutil.copytree(f"{root}{prefix}", prefix)
        python = prefix / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON)
        python.chmod(0o755)
        yield Installed(root, prefix)


@needs_systemd
def test_the_units_are_valid(installed: Installed) -> None:
    """systemd-analyze verify has nothing to say."""
    shutil.copy(installed.units / "alterego@.service", installed.units / "alterego@mara.service")  # as an instance
    units = [installed.units / name for name in UNITS]
    done = subprocess.run([str(ANALYZE), "verify", *units], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize(
    "unit", ["alterego.service", "alterego@.service", "alterego-engine.service", "alterego-train.service"]
)
def test_the_services_are_hardened(installed: Installed, unit: str) -> None:
    """Their exposure stays low; measured offline."""
    limit = f"--threshold={int(EXPOSURE * 10)}"
    command = [str(ANALYZE), "security", "--offline=true", "--no-pager", limit, str(installed.units / unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout.strip().splitlines()[-1]


def test_installing_twice_keeps_settings_and_leaves_nothing_behind_when_gone(tmp_path: Path) -> None:
    """Into a folder, as packagers do; what isn't ours stays."""
    prefix = tmp_path / "opt/alterego"
    for _ in range(2):
        install(tmp_path, "/opt/alterego")
        (tmp_path / "etc/alterego/persona.toml").write_text("mine")
        (prefix / "bot/left_by_an_older_version.py").touch()
    install(tmp_path, "/opt/alterego")
    assert not (prefix / "bot/left_by_an_older_version.py").exists()
    unit = tmp_path / "etc/systemd/system/alterego.service"
    assert "ExecStart=/opt/alterego/.venv/bin/python -m bot run" in unit.read_text()
    assert "@prefix@" not in unit.read_text()
    assert "NoNewPrivileges=yes" in unit.read_text()
    assert (prefix / "bot/daemon.py").is_file()
    assert (tmp_path / "etc/alterego/credentials").stat().st_mode & 0o777 == 0o700
    assert not list((tmp_path / "opt").rglob("__pycache__"))
    for _ in range(2):
        uninstall(tmp_path, "/opt/alterego")
    assert (tmp_path / "etc/alterego/persona.toml").read_text() == "mine"
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()}
    assert left == {"etc/alterego/persona.toml"}
    assert not prefix.exists()


def test_what_others_can_not_read_here_the_service_can_read_there(tmp_path: Path) -> None:
    """A checkout made under umask 077 is installed for everybody."""
    install(tmp_path, "/opt/alterego")
    program = [tmp_path / "opt/alterego", *(tmp_path / "opt/alterego").rglob("*")]
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in program)


def test_uninstalling_from_a_folder_that_holds_other_things_leaves_them(tmp_path: Path) -> None:
    """`prefix=/usr/local`, say: nothing goes that was not installed, and where nothing was, nothing goes."""
    (tmp_path / "usr/share").mkdir(parents=True)
    (tmp_path / "usr/share/bot").touch()
    uninstall(tmp_path, "/usr/share")
    assert (tmp_path / "usr/share/bot").exists()
    (tmp_path / "usr/share/bot").unlink()
    (tmp_path / "usr/share/theirs").touch()
    install(tmp_path, "/usr/share")
    assert "holds more than was installed" in uninstall(tmp_path, "/usr/share").stderr
    assert [path.name for path in (tmp_path / "usr/share").iterdir()] == ["theirs"]


@pytest.mark.parametrize("prefix", ["", "/", "/usr", "opt/alterego"])
def test_a_prefix_that_is_no_folder_of_its_own_is_refused(tmp_path: Path, prefix: str) -> None:
    """Before anything is written."""
    command: list[str | Path] = ["sh", "systemd/install.sh", tmp_path, prefix]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is no folder of its own" in done.stderr
    assert list(tmp_path.iterdir()) == []


# the alterego command


def wrapper(installed: Installed) -> Path:
    """The installed command, its three fixed places moved to where this test may write."""
    path = installed.root / "usr/local/bin/alterego"
    text = path.read_text()
    moved = {
        "user=alterego": "user=nobody",
        "etc=/etc/alterego": f"etc={installed.etc}",
        "state=/var/lib": f"state={installed.root}/var/lib",
    }
    for old, new in moved.items():
        assert text.count(f"{old}") == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    return path


def called(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    clean = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, env=clean, cwd="/")


@needs_root
def test_the_command_drops_to_the_services_user(installed: Installed) -> None:
    """With the settings and the state of the service, and its tokens, which only root can read, in no argument."""
    token = installed.etc / "credentials/discord_token"
    token.write_text("s3cret token\n")
    token.chmod(0o600)
    done = called(wrapper(installed), "bot", "forget", "discord:1", "--json")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"user={NOBODY} groups={NOBODY} umask=0077" in lines
    assert f"arguments=-P -m bot forget --config {installed.etc}/persona.toml discord:1 --json" in lines
    assert {"DISCORD_TOKEN=s3cret token", f"STATE_DIRECTORY={installed.root}/var/lib/alterego"} <= set(lines)
    assert {"NoNewPrivs:\t1", f"CapEff:\t{0:016x}", f"PYTHONPATH={installed.prefix}"} <= set(lines)


@needs_root
def test_as_the_services_user_the_command_is_run_at_once_and_as_another_it_is_refused(installed: Installed) -> None:
    """With what to say instead."""
    path = wrapper(installed)
    mine = called("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", path, "trainer", "--help")
    assert (mine.returncode, mine.stderr) == (0, "")
    assert "arguments=-P -m trainer --help" in mine.stdout.splitlines()
    other = called("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", path, "bot", "doctor")
    assert (other.returncode, other.stdout) == (2, "")
    assert "run 'sudo alterego bot doctor'" in other.stderr


@needs_root
@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["doctor"], "-P -m alterego doctor --config {etc}/persona.toml"),
        (["--help"], "-P -m alterego --help"),
        (["bot", "doctor"], "-P -m bot doctor --config {etc}/persona.toml"),
    ],
)
def test_a_command_may_be_named_with_its_program_or_without(
    installed: Installed, words: list[str], arguments: str
) -> None:
    """`alterego bot doctor` is as good as `alterego doctor`."""
    done = called(wrapper(installed), *words)
    assert done.returncode == 0, done.stderr
    assert f"arguments={arguments.format(etc=installed.etc)}" in done.stdout.splitlines()


def test_without_a_command_it_says_how_it_is_used(installed: Installed) -> None:
    """Exit code 2, as for every wrong usage."""
    done = called("sh", installed.root / "usr/local/bin/alterego")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: alterego COMMAND")


def test_every_package_is_installed(installed: Installed) -> None:
    """Those of the wheel, which are those that the commands import."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "examples", "tests"}
    assert packages == {path.parent.name for path in installed.prefix.glob("*/__init__.py")}


# several personas


def test_each_persona_has_settings_credentials_and_state_of_its_own(installed: Installed) -> None:
    """The template differs from the unit of one in nothing else."""
    one = (installed.units / "alterego.service").read_text().splitlines()
    many = (installed.units / "alterego@.service").read_text().splitlines()
    changed = [line for line in many if line not in one and not line.startswith("#")]
    assert all("%i" in line or line.startswith("After=") for line in changed)
    assert not [
        line for line in many if "/etc/alterego/" in line and "/etc/alterego/%i/" not in line and line[0] != "#"
    ]
    assert "StateDirectory=alterego-%i" in many


@needs_root
def test_a_command_for_one_of_several_takes_its_settings_state_and_tokens(installed: Installed) -> None:
    """`alterego @mara doctor`."""
    token = installed.etc / "mara/credentials/telegram_token"
    token.parent.mkdir(parents=True)
    token.write_text("hers\n")
    lines = called(wrapper(installed), "@mara", "doctor").stdout.splitlines()
    assert f"arguments=-P -m alterego doctor --config {installed.etc}/mara/persona.toml" in lines
    assert {"TELEGRAM_TOKEN=hers", f"STATE_DIRECTORY={installed.root}/var/lib/alterego-mara"} <= set(lines)


# the nightly training


@pytest.mark.parametrize(
    ("before", "after", "restarted"),
    [("7", "8", True), ("7", "7", False), ("", "1", True), ("", "", False), ("7", "", True)],
)
def test_after_a_training_the_bot_is_restarted_only_if_current_moved(
    tmp_path: Path, before: str, after: str, restarted: bool
) -> None:
    """The first adapter counts too."""
    adapters, calls = tmp_path / "adapters", tmp_path / "calls"
    systemctl = tmp_path / "bin/systemctl"
    for folder in (adapters / "mara-voss", systemctl.parent):
        folder.mkdir(parents=True)
    systemctl.write_text(f'#!/bin/sh\necho "$*" >> {calls}\n')
    systemctl.chmod(0o755)
    link = adapters / "mara-voss/current"
    environment = {**os.environ, "PATH": f"{systemctl.parent}:{os.environ['PATH']}"}
    for step, version in (("note", before), ("restart", after)):
        link.unlink(missing_ok=True)
        if version:
            link.symlink_to(version)
        command: list[str | Path] = ["sh", "systemd/current.sh", step, tmp_path / "note", adapters]
        subprocess.run(command, cwd=ROOT, check=True, env=environment)
    assert calls.exists() is restarted
    if restarted:
        assert calls.read_text() == "--no-block try-restart alterego.service\n"


def test_a_training_that_never_began_restarts_nothing(tmp_path: Path) -> None:
    """There is no note to compare with."""
    command: list[str | Path] = ["sh", "systemd/current.sh", "restart", tmp_path / "note", tmp_path / "adapters"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
