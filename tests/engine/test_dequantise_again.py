"""A GGUF file that is dequantised already, is being dequantised, or has become another."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import gguf
import pytest
from safetensors.torch import load_file

from engine import base_source
from engine.base_source import dequantised_folder
from engine.dequantise import located_base
from persona.errors import UserError
from persona.weights import weights_hash
from tests.engine.test_dequantise import gguf_of, settings_in
from tests.trainer import bases

# Dequantises as a command would; told to, it stops halfway until a file `go` is there.
PROCESS = """
import contextlib, sys, time
from pathlib import Path
from engine.dequantise import located_base
from persona.config import load

@contextlib.contextmanager
def task(name, total):
    if sys.argv[1] == "stops":
        print("halfway", flush=True)
        while not Path("go").exists():
            time.sleep(0.01)
    yield lambda done: None

settings = load("persona.toml")
print("begins", flush=True)
print(located_base(settings, task), flush=True)
"""


def start(folder: Path, manner: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, manner],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    while (line := process.stdout.readline().strip()) != word:
        assert line, process.communicate()[1]


@pytest.mark.parametrize("first_is_killed", [False, True], ids=["both", "killed"])
def test_two_processes_at_once_take_what_one_made(tmp_path: Path, first_is_killed: bool) -> None:
    """The second waits for the first; a killed one blocks nobody."""
    gguf_of(tmp_path, bases.llama)
    settings_in(tmp_path, "model.gguf")
    with start(tmp_path, "stops") as first, start(tmp_path, "goes") as second:
        try:
            os.kill(second.pid, signal.SIGSTOP)
            wait_for(first, "halfway")
            os.kill(second.pid, signal.SIGCONT)
            wait_for(second, "begins")
            if not first_is_killed:
                with pytest.raises(subprocess.TimeoutExpired):
                    second.wait(2)  # it would be done by then
                (tmp_path / "go").touch()
            else:
                first.kill()
            said, fault = second.communicate(timeout=120)
            assert second.returncode == 0, fault
            others, fault = first.communicate(timeout=120)
            assert first_is_killed or (first.returncode, others) == (0, said), fault
        finally:
            first.kill()
            second.kill()
    folder = Path(said.strip())
    assert [place.name for place in folder.parent.iterdir()] == [folder.name]


def test_a_file_that_was_mended_under_its_name_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a stretch of a large file that isn't looked at."""
    monkeypatch.setattr(base_source, "SAMPLE", 2)  # as thinly as in gigabytes
    gguf_of(tmp_path, bases.llama)
    file, settings = tmp_path / "model.gguf", settings_in(tmp_path, "model.gguf")
    folder = Path(located_base(settings))
    before = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    weight = next(tensor for tensor in gguf.GGUFReader(file).tensors if tensor.name == "token_embd.weight")

    with file.open("r+b") as data:
        data.seek(int(weight.data_offset))
        data.write(bytes(8))

    assert dequantised_folder(settings, file) == folder
    assert located_base(settings) == folder
    after = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    assert (after != before).sum() == 4
    assert after.flatten()[:4].tolist() == [0, 0, 0, 0]


def test_a_copy_with_another_time_is_the_same_base(tmp_path: Path) -> None:
    """Compared once, then known by its time."""
    gguf_of(tmp_path, bases.llama)
    file, settings = tmp_path / "model.gguf", settings_in(tmp_path, "model.gguf")
    folder = Path(located_base(settings))
    written, sealed = (folder / "model.safetensors").stat().st_mtime_ns, weights_hash(folder)
    os.utime(file, ns=(1, 1))

    assert located_base(settings) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    kept = (folder / "made_of.json").stat().st_mtime_ns
    assert located_base(settings) == folder
    assert (folder / "made_of.json").stat().st_mtime_ns == kept
    assert weights_hash(folder) == sealed


def test_what_an_earlier_version_made_is_kept(tmp_path: Path) -> None:
    """It noted nothing, and a daemon that may write nowhere could not make it again."""
    gguf_of(tmp_path, bases.llama)
    settings = settings_in(tmp_path, "model.gguf")
    folder = Path(located_base(settings))
    (folder / "made_of.json").unlink()
    written = (folder / "model.safetensors").stat().st_mtime_ns
    for _ in range(2):
        assert located_base(settings) == folder
        assert (folder / "model.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize("length", [1, 60_000], ids=["settings", "weights"])
def test_what_the_disk_refuses_is_no_fault_of_the_file(tmp_path: Path, length: int) -> None:
    """Where Python writes, and where a library in Rust does."""
    resource = pytest.importorskip("resource")
    gguf_of(tmp_path, bases.llama)
    settings = settings_in(tmp_path, "model.gguf")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, unlimited[1]))
    try:
        with pytest.raises(UserError, match=r"^model\.gguf can't be dequantised: /.*: file too large; make room"):
            located_base(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert not list((settings.adapters / "bases").iterdir())


def test_a_folder_that_can_not_be_made_is_no_fault_of_the_file(tmp_path: Path) -> None:
    gguf_of(tmp_path, bases.llama)
    settings = settings_in(tmp_path, "model.gguf")
    settings.adapters.parent.mkdir(parents=True, exist_ok=True)
    settings.adapters.write_bytes(b"")
    with pytest.raises(UserError, match=r"^model\.gguf can't be dequantised: /.*bases: not a directory; "):
        located_base(settings)


@pytest.mark.parametrize("left", [0.999, 0.5, 0.01], ids=["almost all", "half", "within the header"])
def test_a_file_that_is_cut_short_is_told_as_that(tmp_path: Path, left: float) -> None:
    gguf_of(tmp_path, bases.llama)
    size = (tmp_path / "model.gguf").stat().st_size
    os.truncate(tmp_path / "model.gguf", int(size * left))
    with pytest.raises(
        UserError, match=rf"model\.gguf can't be read: it is cut short, {int(size * left):,} bytes"
    ) as told:
        located_base(settings_in(tmp_path, "model.gguf"))
    assert left < 0.1 or f"of at least {size:,}" in str(told.value)
