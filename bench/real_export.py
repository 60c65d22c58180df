"""What an export of a trained persona holds: written as GGUF, or as a folder where the base's shape isn't written as such, read
back as a base, and asked for what the seal says it says."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from engine.dequantise import located_base
from persona.bundle import current
from persona.config import load
from trainer.bundle.gguf_file import is_supported

ROOT = Path(__file__).resolve().parent.parent


def exported(config: Path) -> dict[str, Any]:
    """Export the current adapter of some settings, merged; return the format, its size, the seconds it took, and whether it goes
    on from the seal's probe as the adapter does."""
    seal = current(load(config).adapters).seal
    name = "exported.gguf" if is_supported(seal.base.architecture) else "exported"
    with tempfile.TemporaryDirectory(dir=config.parent) as folder:
        again, target = Path(folder, "persona.toml"), Path(folder, name)
        option = "--gguf" if target.suffix else "--merged"
        words = [sys.executable, "-m", "trainer", "export", "--config", str(config), option, str(target)]
        began = time.monotonic()
        subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        seconds = time.monotonic() - began
        again.write_text(f'[persona]\nname = "Exported"\n[base]\nmodel = {json.dumps(name)}\n', encoding="utf-8")
        size = sum(path.stat().st_size for path in (target, *target.glob("*")))
        probe = seal.probe
        speaks = _goes_on(again, probe.ids, len(probe.tuned)) == probe.tuned if probe else None
        return {"as": option[2:], "megabytes": round(size / 1e6), "seconds": round(seconds, 1), "speaks": speaks}


def _goes_on(config: Path, ids: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return the likeliest tokens after `ids`."""
    model = AutoModelForCausalLM.from_pretrained(located_base(load(config)), dtype=torch.float32).eval()
    all_ids = ids
    with torch.inference_mode():
        for _ in range(count):
            all_ids = (*all_ids, int(model(torch.tensor([all_ids])).logits[0, -1].argmax()))
    return all_ids[len(ids) :]
