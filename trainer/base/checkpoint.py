"""What a folder of safetensors tells of its model without being loaded: whether it can be a base, and how large it is."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open

WEIGHTS = "model.safetensors"  # as transformers looks for them; other files beside are of other programs, or adapters
WRITES_TEXT = re.compile("(CausalLM|ConditionalGeneration)$")  # classes of transformers
QUANTISED = ("quantization_config", "quantization")  # transformers' key of it, and MLX's


def is_language_model(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json is of a decoder in full precision, by a class that transformers has for its type: what
    `engine.backends.transformers_engine` loads. Loads torch. Raises KeyError or TypeError for what is no config."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
    )

    tables = (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
    )
    names = {table.get(config["model_type"]) for table in tables} & set(config["architectures"])
    refused = config.get("is_encoder_decoder") or any(config.get(key) for key in QUANTISED)
    return any(WRITES_TEXT.search(name) for name in names) and not refused


def count_parameters(folder: Path) -> int:
    """Return how many numbers the weights are. Raises OSError or SafetensorError if a file of them is missing or cut off."""
    shards = {WEIGHTS}
    if not (folder / WEIGHTS).is_file():
        shards = set(json.loads((folder / f"{WEIGHTS}.index.json").read_text(encoding="utf-8"))["weight_map"].values())
    return sum(_parameters(folder / shard) for shard in shards)


def _parameters(file: Path) -> int:
    with safe_open(file, "np") as weights:
        return sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118  # no mapping
