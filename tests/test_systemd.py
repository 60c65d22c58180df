"""The unit: valid, hardened, and what `make install` puts in place."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from bot.notify import notify

ROOT = Path(__file__).parent.parent
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")
EXPOSURE = 1.5  # of 10; what the engines need keeps it from lower


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as installed under a prefix where ExecStart exists."""
    prefix = tmp_path / "opt"
    text = (ROOT / "systemd" / "alterego.service").read_text().replace("@prefix@", str(prefix))
    python = prefix / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    path = tmp_path / "alterego.service"
    path.write_text(text)
    return path


@needs_systemd
def test_the_unit_is_valid(unit: Path) -> None:
    """systemd-analyze verify has nothing to say."""
    done = subprocess.run([str(ANALYZE), "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_unit_is_hardened(unit: Path) -> None:
    """Its exposure stays low; measured offline, no systemd runs."""
    command = [str(ANALYZE), "security", "--offline=true", f"--threshold={int(EXPOSURE * 10)}", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout.strip().splitlines()[-1]


def test_installing_twice_keeps_settings_and_leaves_nothing_behind_when_gone(tmp_path: Path) -> None:
    """Into a folder, as packagers do."""
    for _ in range(2):
        subprocess.run(
            ["sh", "systemd/install.sh", tmp_path, "/opt/alterego"], cwd=ROOT, check=True, capture_output=True
        )
        (tmp_path / "etc/alterego/persona.toml").write_text("mine")
    unit = tmp_path / "etc/systemd/system/alterego.service"
    assert "ExecStart=/opt/alterego/.venv/bin/python -m bot run" in unit.read_text()
    assert (tmp_path / "opt/alterego/bot/daemon.py").is_file()
    assert (tmp_path / "etc/alterego/credentials").stat().st_mode & 0o777 == 0o700
    assert not list((tmp_path / "opt").rglob("__pycache__"))
    for _ in range(2):
        subprocess.run(
            ["sh", "systemd/uninstall.sh", tmp_path, "/opt/alterego"], cwd=ROOT, check=True, capture_output=True
        )
    assert (tmp_path / "etc/alterego/persona.toml").read_text() == "mine"
    assert not unit.exists()
    assert not (tmp_path / "opt/alterego").exists()


def test_the_service_manager_is_told(tmp_path: Path) -> None:
    """Over a real socket; and nothing happens where there is none."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        notify("READY=1", {"NOTIFY_SOCKET": str(path)})
        assert manager.recv(100) == b"READY=1"
    notify("READY=1", {})
