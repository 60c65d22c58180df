"""Who may import whom, executed; and what a quick --help must not load."""

import ast
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import BaseModel

from persona.config import Settings
from persona.sections import Section

ROOT = Path(__file__).parent.parent
PACKAGES = ("persona", "engine", "trainer", "bot", "alterego")
ENTRANCES = {"__init__.py", "__main__.py"}
COMMANDS = ROOT / "trainer" / "commands"


def test_the_layers_hold() -> None:
    """import-linter's contracts in pyproject.toml are the plan of the house."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["bot", "trainer", "alterego"])
def test_help_is_quick_and_loads_nothing_heavy(package: str) -> None:
    """Under half a second of CPU, whatever the machine is doing besides."""
    code = (
        "import sys, runpy, time\n"
        f"sys.argv = ['{package}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{package}', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "heavy = {'torch', 'transformers', 'peft', 'discord', 'telegram', 'sqlalchemy', 'pyarrow', 'apscheduler', 'gradio'}\n"
        "print(sorted(heavy & set(sys.modules)), time.process_time(), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    loaded, seconds = done.stderr.rsplit(" ", 1)
    assert loaded == "[]"
    assert float(seconds) < 1.0  # twice the aim: this machine may be slow, a heavy import is slower by far


def test_nothing_happens_at_import() -> None:
    """No module of ours opens, connects or prints when it is imported."""
    modules = [
        ".".join(path.with_suffix("").relative_to(ROOT).parts)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name not in ("__main__.py", "env.py") and "versions" not in path.parts
    ]
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", f"printed at import ({time.monotonic() - start:.0f} s)"


def test_no_setting_is_read_by_nobody() -> None:
    """A key that settings accept and no code asks for, as an attribute or by its name, is a promise that isn't kept."""
    nodes = [
        node
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    asked = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    asked |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    sections: list[type[BaseModel]] = [Settings, *_sections(Section)]
    keys = {key for section in sections for key in section.model_fields}
    assert keys - asked == set()


def _sections(of: type[Section]) -> list[type[Section]]:
    return [section for direct in of.__subclasses__() for section in (direct, *_sections(direct))]


def test_no_public_class_has_the_name_of_another() -> None:
    """A name in a message or a traceback leads to one place."""
    names = Counter(
        node.name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not {name for name, count in names.items() if count > 1}


def test_no_file_has_the_name_of_another() -> None:
    """But for two families: a command's file is called as the command, and every gateway's folder has the same files.

    `gateway.py` and `doctor.py` beside the gateways define and ask what theirs implement.
    """
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name not in ENTRANCES]
    gateways = ROOT / "bot" / "gateways"
    names = Counter(path.name for path in files if gateways not in path.parents and path.parent != COMMANDS)
    assert not {name for name, count in names.items() if count > 1}
    in_gateways = {path.name for path in files if gateways in path.parents}
    assert in_gateways & set(names) <= {"gateway.py", "doctor.py"}


def test_docstrings_say_if_and_not_where() -> None:
    """ "None if the message was deleted", and not "None where the message is gone"."""
    riddle = re.compile(r"\b(None|False|True|[Ee]mpty|\"\"|Raises \w+) where\b")
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    text = " ".join((ast.get_docstring(node) or "").split())
                    assert not riddle.search(text), f"{path.relative_to(ROOT)}: {text}"


def test_the_daemon_holds_nothing_that_it_may_never_need() -> None:
    """Resident memory is what a home server is short of: registries of numbers come with the first reply that has digits."""
    spared = {"phonenumbers", "stdnum", "torch", "transformers", "pyarrow", "sklearn", "psycopg", "discord", "telegram"}
    asked = f"import sys, bot.daemon, engine.choose, persona.guard; print(sorted({spared} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
