"""Plant each fault in a copy of the tree and run the tests that must find it. Exit code 1 if any is not found.

Ctrl-C and SIGTERM end the tests that are running, and what they have started, too.
"""

import argparse
import compileall
import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from tests.mutants.mutation import Mutation
from tests.mutants.mutations import MUTATIONS

ROOT = Path(__file__).parents[2]
TEST_SECONDS = 600  # a test that hangs has found the fault
QUIETLY = "-q -x -n 0 -p no:cacheprovider -W ignore::pytest.PytestAssertRewriteWarning".split()
LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "sklearn",
    "scipy.sparse",
    "pyarrow",
    "discord",
    "telegram.ext",
    "hypothesis",
)
PASSED, FAILED = 0, 1  # of pytest's exit codes; any other says that the tests could not be run


def copy_tree(target: Path) -> None:
    """Copy what git knows of, as it stands in the working tree."""
    known = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(known, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():  # not one that was removed and is still known
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def load_libraries() -> None:
    """Import what the tests import of others, once: each run of tests is a fork of this process."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # as tests/conftest.py has them
    for name in LIBRARIES:
        importlib.import_module(name)


def run_tests(tree: Path, tests: Sequence[str]) -> int:
    """Return pytest's exit code in a process of its own; FAILED if it did not end in time."""
    process = os.fork()
    if not process:
        _run_pytest(tree, tests)
    deadline = time.monotonic() + TEST_SECONDS
    try:
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            time.sleep(0.05)
        return FAILED
    finally:
        _end(process)


def _end(process: int) -> None:
    """Kill a run of tests, if it still runs, and whatever it started."""
    started: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        run = psutil.Process(process)
        started = [run, *run.children(recursive=True)]  # while it lives: orphans are nobody's children
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    for child in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def end_on_signals() -> None:
    """Let SIGTERM unwind the program as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _run_pytest(tree: Path, tests: Sequence[str]) -> NoReturn:
    """Run the tests of another tree, quietly, and end the process."""
    os.setsid()  # so that what the tests start ends with them
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sink = os.open(os.environ.get("MUTANTS_LOG", os.devnull), os.O_RDWR | os.O_CREAT)
    for stream in (0, 1, 2):
        os.dup2(sink, stream)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # those of this tree
    sys.path[:] = [str(tree), *(path for path in sys.path if path and Path(path) != ROOT)]
    sys.dont_write_bytecode = True  # a fault that is taken out within the second would be run again
    os.chdir(tree)
    code = FAILED
    try:
        code = int(pytest.main([*QUIETLY, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


def is_found(mutation: Mutation, tree: Path) -> bool:
    """Plant a fault, run its tests, and take it out again. Returns whether a test failed."""
    path = tree / mutation.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutation.applied(whole), encoding="utf-8")
    try:
        code = run_tests(tree, mutation.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    if code not in (PASSED, FAILED):
        print(f"CAN'T RUN ({code})  {mutation.title}", flush=True)
    return code == FAILED


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.split("\n", 1)[0])
    parser.add_argument("word", nargs="*", help="only faults whose file or text holds one of these: trainer/evaluate")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="begin with the N-th, where a run was ended")
    arguments = parser.parse_args()
    arguments.chosen = [
        mutation
        for mutation in MUTATIONS
        if not arguments.word or any(word in mutation.title for word in arguments.word)
    ]
    if not arguments.chosen:
        parser.error(f"no fault's file or text holds {' or '.join(arguments.word)}")
    return arguments


def main() -> int:
    """Run the chosen mutations and print those that no test found. Returns the exit code."""
    arguments = _arguments()
    chosen: list[Mutation] = arguments.chosen
    end_on_signals()
    misplaced = [one for one in chosen if one.occurrences(ROOT) != 1]
    for one in misplaced:
        print(f"MISPLACED  {one.title}: its old text stands there {one.occurrences(ROOT)} times, not once")
    survivors: list[Mutation] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        compileall.compile_dir(tree, quiet=2)  # read by every run; a changed file is newer than its bytecode
        load_libraries()
        tests = sorted({test for one in chosen for test in one.tests})
        if run_tests(tree, tests) != PASSED:
            print(
                "the tests fail without any fault planted: make them pass first (MUTANTS_LOG=file keeps what they print)",
                file=sys.stderr,
            )
            return 1
        for number, one in list(enumerate(chosen, 1))[arguments.first - 1 :]:
            began = time.monotonic()
            if one not in misplaced and not is_found(one, tree):
                survivors.append(one)
                print(f"SURVIVED  {one.title}", flush=True)
            print(f"{number}/{len(chosen)}  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    planted = max(0, len(chosen) - arguments.first + 1)
    print(f"{planted} faults planted, {len(survivors)} not found")
    return 1 if survivors or misplaced else 0


if __name__ == "__main__":
    sys.exit(main())
