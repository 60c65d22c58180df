"""A merged model as one GGUF file, which llama.cpp, Ollama and LM Studio load, OpenVINO too for some shapes.

Learned from llama.cpp's convert_hf_to_gguf.py: names go through gguf's own tensor map, query and key rows are
permuted where the rotary layout wants it, norms stay float32, and the tokenizer travels inside.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from transformers import PreTrainedModel

from engine.gguf_positions import FREQUENCIES, llama3_divisors
from persona.encoding import Encoding
from persona.errors import UserError

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "granite": gguf.MODEL_ARCH.GRANITE,
    "olmo2": gguf.MODEL_ARCH.OLMO2,
    "smollm3": gguf.MODEL_ARCH.SMOLLM3,
}
PERMUTED = {
    gguf.MODEL_ARCH.LLAMA,
    gguf.MODEL_ARCH.GRANITE,
    gguf.MODEL_ARCH.SMOLLM3,
}  # rotary pairs lie side by side there
PRECISIONS = {"f16": (Kind.F16, 1), "q8_0": (Kind.Q8_0, 7), "q4_0": (Kind.Q4_0, 2)}  # tensor type, general.file_type
_BLOCK = 32  # values a quantised block holds; rows of another length stay F16


def is_supported(architecture: str) -> bool:
    """Return whether models of this model_type can be written."""
    return architecture in ARCHITECTURES


def write_gguf(
    model: PreTrainedModel, encoding: Encoding, path: Path, precision: str = "f16", template: str = ""
) -> None:
    """Write `model`, its adapter merged, with its tokenizer. template: for programs that know roles only. Raises UserError for
    another shape or tokenizer."""
    config = model.config
    if not is_supported(config.model_type):
        known = ", ".join(sorted(ARCHITECTURES))
        raise UserError(f"a base of type {config.model_type!r} can't be written as GGUF; alterego writes {known}")
    arch = ARCHITECTURES[config.model_type]
    tensor_type, file_type = PRECISIONS[precision]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    writer.add_name("alterego")
    writer.add_file_type(file_type)
    _add_shape(writer, config)
    _add_positions(writer, config)
    _add_tokenizer(writer, encoding, int(config.vocab_size), str(config.model_type))
    if template:
        writer.add_chat_template(template)
    for name, tensor in _tensors(model, arch):
        _add_tensor(writer, name, tensor, tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    heads = config.num_attention_heads
    size = _head_size(config)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if config.model_type == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)


def _add_positions(writer: gguf.GGUFWriter, config: Any) -> None:
    """Write rotary positions, scaled or not. Raises UserError for a scaling that llama.cpp's files don't hold."""
    size, rope = _head_size(config), getattr(config, "rope_parameters", None) or {}
    base, kind = float(rope.get("rope_theta", 10_000.0)), rotary_scaling(config)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(base)
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rope["factor"]))
    elif kind == "llama3":
        writer.add_tensor(FREQUENCIES, llama3_divisors(size // 2, base, rope).astype(np.float32))
    elif kind:
        raise UserError(f"a base with {kind!r} rotary scaling can't be written as GGUF; choose another engine")


def rotary_scaling(config: Any) -> str:
    """Return how a model's rotary positions are scaled, as transformers calls it; "" if they are not."""
    kind = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    return "" if kind == "default" else str(kind)


def _head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _add_tokenizer(writer: gguf.GGUFWriter, encoding: Encoding, vocabulary: int, architecture: str) -> None:
    spec = json.loads(encoding.tokenizer.to_str())
    if spec["model"]["type"] != "BPE" or spec["model"].get("byte_fallback"):
        raise UserError("only byte-level BPE tokenizers can be written into a GGUF file; choose another engine")
    pieces = {i: piece for piece, i in encoding.tokenizer.get_vocab(with_added_tokens=True).items()}
    special = {added["id"]: added["special"] for added in spec["added_tokens"]}
    tokens = [pieces.get(i, f"[PAD{i}]") for i in range(vocabulary)]
    types = [_token_type(i in pieces, special.get(i)) for i in range(vocabulary)]
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in spec["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre_tokenizer(spec, architecture))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(encoding.end_of_turn)
    writer.add_pad_token_id(encoding.end_of_turn)
    writer.add_bos_token_id(encoding.end_of_turn if encoding.bos is None else encoding.bos)
    writer.add_add_bos_token(encoding.bos is not None)


def _pre_tokenizer(spec: dict[str, Any], architecture: str) -> str:
    """Return llama.cpp's name for how a tokenizer splits text before its merges."""
    splitters = json.dumps(spec["pre_tokenizer"] or {})
    if r"p{Lu}" in splitters:
        return "gpt-4o" if "{1,3}" in splitters else "tekken"
    if r"p{N}{1,3}" in splitters:
        return "llama-bpe" if spec["model"].get("ignore_merges") else "dbrx"
    if architecture.startswith("qwen"):
        return "qwen2"
    return "smollm" if '"Digits"' in splitters and '"individual_digits": true' in splitters else "gpt-2"


def _token_type(known: bool, special: bool | None) -> int:
    if not known:
        return int(gguf.TokenType.UNUSED)
    if special is None:
        return int(gguf.TokenType.NORMAL)
    return int(gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED)


def _tensors(model: PreTrainedModel, arch: gguf.MODEL_ARCH) -> Iterator[tuple[str, torch.Tensor]]:
    """Names as GGUF has them, and tensors as its rotary layout wants them."""
    config = model.config
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    tied = bool(getattr(config, "tie_word_embeddings", False))
    for name, tensor in model.state_dict().items():
        if tied and name == "lm_head.weight":
            continue
        gguf_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if gguf_name is None:
            raise UserError(f"the base has a weight that GGUF does not know ({name}); choose another engine")
        if arch in PERMUTED and name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            tensor = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(tensor.shape)
        yield gguf_name, tensor


def _add_tensor(writer: gguf.GGUFWriter, name: str, tensor: torch.Tensor, tensor_type: Kind) -> None:
    values = tensor.detach().to(torch.float32).cpu().numpy()
    if values.ndim < 2 or name.endswith(".bias"):
        writer.add_tensor(name, values)
    elif tensor_type is Kind.F16 or values.shape[-1] % _BLOCK:
        writer.add_tensor(name, values.astype(np.float16))
    else:
        writer.add_tensor(name, gguf.quants.quantize(values, tensor_type), raw_dtype=tensor_type)
