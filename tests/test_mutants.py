"""The list of planted faults keeps up with the code. `make mutants` plants them; that takes long."""

import ast
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.mutants.mutation import Mutation
from tests.mutants.mutations import MUTATIONS


def test_every_fault_can_be_planted() -> None:
    """Its old text stands in its file exactly once, and what replaces it is Python."""
    misplaced = [one.title for one in MUTATIONS if one.occurrences(ROOT) != 1]
    assert misplaced == []
    for one in MUTATIONS:
        text = (ROOT / one.file).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(one.applied(text))) != ast.dump(ast.parse(text)), one.title


def test_every_fault_names_tests_that_exist() -> None:
    """Files and folders, and in a file its functions."""
    for one in MUTATIONS:
        assert one.tests, one.title
        for test in one.tests:
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), test
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_there_are_enough_and_none_is_there_twice() -> None:
    """Sixty at least, over all that must not break unnoticed."""
    assert len(MUTATIONS) >= 60
    assert len({(one.file, one.old, one.new) for one in MUTATIONS}) == len(MUTATIONS)


def test_a_misplaced_fault_is_noticed() -> None:
    """The count is of the text as it stands."""
    assert Mutation("persona/version.py", "VERSION = ", "", ()).occurrences(ROOT) == 1
    assert Mutation("persona/version.py", "no such text", "", ()).occurrences(ROOT) == 0
    assert Mutation("persona/no_such_file.py", "", "", ()).occurrences(ROOT) == 0


def test_a_signal_ends_the_tests_that_run(tmp_path: Path) -> None:
    """And what these have started, in sessions of their own too."""
    (tmp_path / "test_long.py").write_text(
        "import os, pathlib, subprocess, sys\n"
        "def test_long():\n"
        "    sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "    children = [subprocess.Popen(sleep), subprocess.Popen(sleep, start_new_session=True)]\n"
        "    pids = [os.getpid(), *(child.pid for child in children)]\n"
        "    pathlib.Path('pids.part').write_text(' '.join(map(str, pids)))\n"
        "    pathlib.Path('pids.part').rename('pids')\n"
        "    children[0].wait()\n"
    )
    code = (
        "import sys, pathlib\n"
        "from tests.mutants.__main__ import end_on_signals, run_tests\n"
        "end_on_signals()\n"
        "run_tests(pathlib.Path(sys.argv[1]), ['test_long.py'])\n"
    )
    tool = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    try:
        while not (tmp_path / "pids").exists():
            assert tool.poll() is None
            time.sleep(0.02)
        tool.terminate()
        assert tool.wait(timeout=60) == 128 + signal.SIGTERM
    finally:
        tool.kill()
    pids = list(map(int, (tmp_path / "pids").read_text().split()))
    deadline = time.monotonic() + 30  # a killed process takes a moment to go
    while any(map(_is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in pids if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
