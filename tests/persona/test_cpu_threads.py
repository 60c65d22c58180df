"""Waiting threads of a computation leave the processor to others, in every process of ours that computes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from persona.cpu_threads import SPIN_COUNT, bound_spinning

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)


def test_spinning_is_bounded() -> None:
    """By a number of turns."""
    bound_spinning()
    assert os.environ["GOMP_SPINCOUNT"] == str(SPIN_COUNT)


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "ACTIVE")])
def test_the_users_choice_stands(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Whichever of the two they set."""
    monkeypatch.setenv(name, value)
    bound_spinning()
    assert os.environ.get("GOMP_SPINCOUNT") == (value if name == "GOMP_SPINCOUNT" else None)


@pytest.mark.parametrize("module", ["trainer", "bot", "alterego"])
def test_commands_bound_it_before_torch_is_there(module: str, tmp_path: Path) -> None:
    """Seen from a command that is about to end; children, such as the studio's, inherit the environment."""
    code = (
        "import atexit, os, runpy, sys; "
        "atexit.register(lambda: print('spins', os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)); "
        f"sys.argv = ['{module}', '--version']; runpy.run_module('{module}', run_name='__main__')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert f"spins {SPIN_COUNT} False" in done.stdout, done.stderr


def test_the_services_bound_it_too() -> None:
    """Both units."""
    for unit in (ROOT / "systemd").glob("*.service"):
        assert f"GOMP_SPINCOUNT={SPIN_COUNT}" in unit.read_text(encoding="utf-8"), unit.name
