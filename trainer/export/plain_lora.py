"""The adapter without a LoRA on the head, its logit bias above all, as a folder: for servers that refuse that."""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from persona.atomic import new_folder
from persona.bundle import Bundle
from persona.errors import UserError

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."  # before each module's name in PEFT's files
_LAYER = re.compile(r"(.*?)[^.]+\.\d+\b")  # the body's name before it, `model.` of `model.layers.0.mlp.up_proj`


def write_plain_lora(bundle: Bundle, target: Path) -> str:
    """Write PEFT's files without the head's LoRA; return what was left out, in words. Raises UserError if nothing would be
    left."""
    weights = load_file(bundle.folder / WEIGHTS)
    heads = head_modules(weights)
    kept = {name: weight for name, weight in weights.items() if _module(name) not in heads}
    if not kept:
        raise UserError(f"the adapter in {bundle.folder} is a LoRA on the head alone: without it nothing is left")
    config = json.loads((bundle.folder / CONFIG).read_text(encoding="utf-8"))
    config["target_modules"] = without_heads(config["target_modules"], heads)
    with new_folder(target) as folder:
        save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
        for file in bundle.folder.glob("*token*.json"):
            shutil.copy2(file, folder / file.name)
    return f"without the LoRA on {', '.join(sorted(heads))}" if heads else "which has none on the head"


def head_modules(names: Iterable[str]) -> set[str]:
    """Return the adapted modules outside the body, which is what holds the numbered layers, and more in Gemma 4: heads."""
    modules = set(map(_module, names))
    layers = {module: layer[1] for module in modules if (layer := _LAYER.match(module))}
    bodies = tuple(filter(None, layers.values()))
    return {module for module in modules - layers.keys() if not module.startswith(bodies)}


def without_heads(targets: Any, heads: set[str]) -> Any:
    """Return PEFT's target_modules, a list of names or a regular expression, without these modules."""
    if isinstance(targets, str):
        escaped = {head.replace(".", r"\.") for head in heads}
        return "|".join(part for part in targets.split("|") if part not in escaped)
    return sorted(name for name in targets if name not in heads)


def _module(name: str) -> str:
    return name.removeprefix(PREFIX).split(".lora_")[0]
