"""Installed elsewhere: the wheel has all that a checkout has, and the one command does the first run from a pipe."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from examples.make_sample import make
from tests.conftest import ROOT

PACKAGES = ("persona", "engine", "trainer", "bot", "alterego")
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "completions", "examples", *PACKAGES)
QUICK = "[base]\nminutes = 0.1\n[train]\nepochs = 1\nrank = 8\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # on a busy machine too


@dataclass(frozen=True)
class Installation:
    """A wheel, and a virtual environment that has it; no checkout is near."""

    wheel: Path
    environment: Path

    def run(self, *words: str, cwd: Path, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Call `alterego` as from a pipe."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [str(self.environment / "bin" / "alterego"), *words]
        return subprocess.run(command, cwd=cwd, env=clean, input=typed, capture_output=True, text=True, timeout=1500)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Built from a copy, since a build leaves a folder behind. The dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("installation")
    source = folder / "source"
    source.mkdir()
    for name in (*SOURCES, *(path.name for path in ROOT.glob("requirements*.txt"))):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run(build, cwd=source, check=True, timeout=120)
    wheel = next(folder.glob("alterego-*.whl"))
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    python = environment / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shared = environment / "lib" / version / "site-packages" / "shared.pth"
    shared.write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    install = [*pip, "--python", str(python), "install", "--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    shutil.rmtree(source)
    yield Installation(wheel, environment)


def test_the_wheel_holds_every_file_of_the_packages(installation: Installation) -> None:
    """Templates and migrations too; and the sample, and nothing of the tests."""
    inside = set(ZipFile(installation.wheel).namelist())
    files = subprocess.run(["git", "ls-files", *PACKAGES, "examples/exports"], cwd=ROOT, capture_output=True, text=True)
    for name in files.stdout.split():
        assert (f"alterego/sample/{name}" if name.startswith("examples") else name) in inside
    assert {name.split("/")[0] for name in inside if not name.startswith("alterego-")} == set(PACKAGES)


def test_what_is_required_is_what_the_requirements_say(installation: Installation) -> None:
    """Every line of requirements.txt, and an extra for every file beside it but the developers'."""
    with ZipFile(installation.wheel) as wheel:
        metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode()
    for path in ROOT.glob("requirements*.txt"):
        extra = path.stem.removeprefix("requirements").removeprefix("-")
        if extra == "dev":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            requirement = line.partition("#")[0].strip()
            if requirement:
                ending = f'; extra == "{extra}"' if extra else ""
                assert f"Requires-Dist: {requirement}{ending}\n" in metadata
    assert "Name: alterego\n" in metadata


def test_the_first_run_works_without_a_checkout(installation: Installation, tmp_path: Path) -> None:
    """init, import, train, chat and the demo, each from a pipe."""
    make(tmp_path / "exports", seed=11, tweet_count=60, chat_count=160)
    helped = installation.run("--help", cwd=tmp_path)
    assert (helped.returncode, "studio" in helped.stdout) == (0, True)
    begun = installation.run("init", "exports", "--me", "Mara Voss", "--base", "scratch", "--yes", cwd=tmp_path)
    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.endswith("next: alterego import\n")
    config = tmp_path / "persona.toml"
    config.write_text(f'[persona]\nname = "Mara Voss"\n[data]\nsources = ["exports"]\n{QUICK}', encoding="utf-8")
    for command in ("import", "train"):
        done = installation.run(command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    talk = installation.run("chat", cwd=tmp_path, typed="hello\n")
    assert (talk.returncode, talk.stdout.startswith("you: hello\nMara Voss: ")) == (0, True), talk.stderr
    (tmp_path / "examples").mkdir()
    (tmp_path / "exports").rename(tmp_path / "examples" / "exports")
    config.write_text(config.read_text().replace('"exports"', '"examples/exports"'), encoding="utf-8")
    demo = installation.run("demo", ".", cwd=tmp_path)
    assert (demo.returncode, "Mara Voss: " in demo.stdout) == (0, True), demo.stderr


def test_the_demo_brings_its_own_sample(installation: Installation, tmp_path: Path) -> None:
    """The packaged settings and exports, in a folder of its own."""
    code = "from pathlib import Path; from alterego.demo import copy_sample; print(copy_sample(Path('demo')))"
    python = installation.environment / "bin" / "python"
    done = subprocess.run([python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "demo/persona.toml\n", done.stderr
    assert {path.name for path in (tmp_path / "demo/examples/exports").iterdir()} == {
        path.name for path in (ROOT / "examples/exports").iterdir()
    }
