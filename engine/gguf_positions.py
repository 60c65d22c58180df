"""Rotary positions as a GGUF file has them: transformers 5.23 leaves much of what files say of them at its defaults.

Names and formulas are those of llama.cpp (gguf-py/gguf/constants.py, conversion's `generate_extra_tensors` for Llama 3).
"""

import math
from typing import Any

import gguf
import numpy as np

from engine.gguf_header import GgufHeader

# of Llama 3.1, 3.2 and 3.3
_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
_GEMMA3_LONG = 131_072
CANT_SCALE = "its rotary positions are scaled ({}) in a way that can't be read from GGUF"
FREQUENCIES = "rope_freqs.weight"  # by what each frequency is divided
_LONG = "rope_factors_long.weight"


def complete_positions(config: Any, reader: gguf.GGUFReader) -> None:
    """Put what the file says into transformers' config of it. Raises ValueError for a scaling that can't be expressed there."""
    rope = getattr(config, "rope_parameters", None)
    if not rope:
        return
    said = {name.partition(".")[2]: field.contents() for name, field in reader.fields.items()}
    tensors = {tensor.name: tensor.data for tensor in reader.tensors if tensor.name in (FREQUENCIES, _LONG)}
    whole = rope.get("full_attention", rope)  # by kind of layer: Gemma 3 scales that of the whole context alone
    if whole is rope and (base := said.get("rope.freq_base")):
        rope["rope_theta"] = float(base)
    if "partial_rotary_factor" in rope and (count := said.get("rope.dimension_count")):
        rope["partial_rotary_factor"] = count / _head_size(config, said)
    if whole.get("rope_type", "default") == "default":
        whole |= _scaling(_gemma3_of_ollama(said) | said, tensors, float(whole.get("rope_theta", 10_000.0)))


def require_unscaled(header: GgufHeader) -> None:
    """Raise ValueError if the file scales its positions: for families whose positions transformers alone reads."""
    family = header.fields["general.architecture"]
    kind = header.fields.get(f"{family}.rope.scaling.type", "none")
    if kind != "none" and header.fields.get(f"{family}.rope.scaling.factor") != 1.0:
        raise ValueError(CANT_SCALE.format(kind))


def _gemma3_of_ollama(said: dict[str, Any]) -> dict[str, Any]:
    """Return what Ollama's own files of Gemma 3 leave out: from 4B on, those of 128k positions, its programs know it."""
    of_gemma3 = said.get("architecture") == "gemma3" and int(said.get("context_length", 0)) >= _GEMMA3_LONG
    return {"rope.scaling.factor": 8.0} if of_gemma3 and "rope.scaling.type" not in said else {}


def _head_size(config: Any, said: dict[str, Any]) -> int:
    return int(said.get("attention.key_length") or config.hidden_size // config.num_attention_heads)


def _scaling(said: dict[str, Any], tensors: dict[str, np.ndarray], base: float) -> dict[str, Any]:
    """Return how positions are scaled, as transformers calls it; nothing if they are not."""
    kind = "longrope" if _LONG in tensors else str(said.get("rope.scaling.type", "linear"))  # as llama.cpp takes it
    factor = float(said.get("rope.scaling.factor", said.get("rope.scale_linear", 1.0)))  # the latter until 2023
    if FREQUENCIES in tensors:
        divisors = tensors[FREQUENCIES].astype(np.float64)
        scaling = {"rope_type": "llama3", "factor": float(divisors.max())} | _LLAMA3
        if np.allclose(divisors, llama3_divisors(len(divisors), base, scaling), rtol=1e-3):
            return scaling
        kind = "with frequencies of its own"
    if kind == "none" or (kind == "linear" and factor == 1.0):
        return {}
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    if kind == "yarn" and (original := said.get("rope.scaling.original_context_length")):
        return {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": int(original)}
    raise ValueError(CANT_SCALE.format(kind))


def llama3_divisors(count: int, base: float, scaling: dict[str, Any]) -> np.ndarray:
    """Return by what Llama 3.1 divides each of its `count` frequencies: long waves by the whole factor, short ones by nothing.
    base: rope_theta. scaling: transformers' rope_parameters."""
    waves = 2 * math.pi * base ** (np.arange(count) / count)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    smooth = np.clip((scaling["original_max_position_embeddings"] / waves - low) / (high - low), 0, 1)
    divisors: np.ndarray = 1 / ((1 - smooth) / scaling["factor"] + smooth)
    return divisors
