"""One engine for several personas: how vLLM is started, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.shared_server import bundles_of, command
from persona.bundle import BaseModelSeal, Seal, Speaker, draft, point_current, publish
from persona.errors import PermanentError
from tests.conftest import ROOT

HUB = ("Qwen/Qwen3-0.6B-Base", "abc")
DEQUANTISED = ("SmolLM2-135M-Instruct.Q4_1-d45d9a9e8ba9", "")


def persona(state: Path, name: str, *, base: tuple[str, str] = HUB, weights: str = "w", rank: int = 16) -> Path:
    """A sealed bundle of somebody, current in a state folder. base: its name and commit."""
    model, revision = base
    sealed = BaseModelSeal(model=model, revision=revision, weights=weights, architecture="qwen3")
    speakers = {name.upper(): Speaker(name=name, tuned=True)}
    seal = Seal(speaker=name.upper(), speakers=speakers, end_of_turn=1, stops=(1,), max_length=64, base=sealed)
    with draft(state / "adapters" / name) as folder:
        (folder / "adapter_config.json").write_text(json.dumps({"r": rank}))
        bundle = publish(folder, seal)
    point_current(bundle)
    return state


def test_every_persona_is_a_model_of_one_server(tmp_path: Path) -> None:
    """On loopback, with the base's commit and the largest rank."""
    states = [persona(tmp_path / "a", "mara-voss"), persona(tmp_path / "b", "bram", rank=20)]
    words = command(bundles_of(states), 8123)
    assert words[:5] == ["vllm", "serve", "Qwen/Qwen3-0.6B-Base", "--revision", "abc"]
    assert words[5:9] == ["--host", "127.0.0.1", "--port", "8123"]
    assert words[9:12] == ["--enable-lora", "--max-lora-rank", "32"]
    modules = [f"mara-voss={tmp_path / 'a/adapters/mara-voss/1'}", f"bram={tmp_path / 'b/adapters/bram/1'}"]
    assert (words[12], sorted(words[13:])) == ("--lora-modules", sorted(modules))


def test_a_base_from_a_file_lies_beside_an_adapter(tmp_path: Path) -> None:
    """Of any of them; the name that it is sealed by is none of the Hub's."""
    states = [persona(tmp_path / "a", "mara", base=DEQUANTISED), persona(tmp_path / "b", "bram", base=DEQUANTISED)]
    with pytest.raises(PermanentError, match=r"mara and bram were trained on a folder called 'SmolLM2.*copy adapters/"):
        command(bundles_of(states), 8123)
    folder = tmp_path / "b" / "adapters" / "bram" / "bases" / DEQUANTISED[0]
    folder.mkdir(parents=True)
    assert command(bundles_of(states), 8123)[:4] == ["vllm", "serve", str(folder), "--host"]


def test_what_can_not_share_an_engine_is_refused(tmp_path: Path) -> None:
    """Nobody, two of one name, two bases: each in a sentence."""
    with pytest.raises(PermanentError, match="no adapter lies in"):
        bundles_of([tmp_path])
    states = [persona(tmp_path / "a", "mara"), persona(tmp_path / "b", "bram", weights="other")]
    with pytest.raises(PermanentError, match="bram and mara were trained on different bases"):
        bundles_of(states)
    with pytest.raises(PermanentError, match="two personas are called mara"):
        bundles_of([states[0], persona(tmp_path / "c", "mara")])


def test_it_becomes_the_server_or_says_why_not(tmp_path: Path) -> None:
    """Exit code 78 where a restart can't help; the process that is started is vLLM's own."""
    state = persona(tmp_path / "a", "mara")
    run = [sys.executable, "-m", "engine.shared_server", str(state)]
    bare = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(run, cwd=ROOT, env=bare, capture_output=True, text=True)
    assert (done.returncode, "there is no vllm here" in done.stderr) == (78, True)
    vllm = tmp_path / "vllm"
    vllm.write_text("#!/bin/sh\necho $*\n")
    vllm.chmod(0o755)
    done = subprocess.run(
        run, cwd=ROOT, env={**bare, "PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["serve", "Qwen/Qwen3-0.6B-Base"])
