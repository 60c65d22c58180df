"""The frame of the command lines."""

import subprocess
import sys

from tests.conftest import ROOT

IMPORTS = """
import sys, typer
from persona.command import command_line, run
app = command_line("One command that loads what trains.")
@app.command()
def load() -> None:
    "Load. Example: load"
    import bitsandbytes, peft, transformers
@app.command()
def other() -> None:
    "Another. Example: other"
run(app, "alterego", ["load"])
"""


def test_no_library_speaks_of_itself() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_modules_that_run_without_the_frame_are_as_quiet() -> None:
    """A benchmark that imports the trainer or an engine, say."""
    for package in ("engine", "trainer"):
        asked = f"import {package}, logging; print(logging.getLogger('bitsandbytes').isEnabledFor(logging.WARNING))"
        done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.stdout == "False\n"
