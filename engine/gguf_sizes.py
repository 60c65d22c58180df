"""Sizes of a model as its GGUF file has them: transformers 5.23 leaves some at its defaults, whatever the file says."""

from typing import Any

import gguf
import torch
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

from engine.gguf_header import GgufHeader

# as transformers calls a size, and GGUF
_SIZES = {"head_dim": "attention.key_length", "moe_intermediate_size": "expert_feed_forward_length"}
_EMBEDDING = "token_embd.weight"
# Layers of the 27 billion of Gemma 2 and 3, by which llama.cpp and Ollama know that theirs attend in another scale: no field
# tells it.
_LARGE = {"gemma2": 46, "gemma3": 62}


def complete_sizes(config: Any, header: GgufHeader) -> None:
    """Put what the file says into transformers' config of it. Raises ValueError for what can't be expressed there."""
    family = str(header.fields["general.architecture"])
    for name, key in _SIZES.items():
        size = header.fields.get(f"{family}.{key}")
        if isinstance(size, int) and size and name in vars(config):
            setattr(config, name, size)
    if rows := header.shapes.get(_EMBEDDING):
        config.vocab_size = rows[1]  # Ollama's Gemma 3 has a token more, of images; others have rows to spare
    if _LARGE.get(family) == header.fields.get(f"{family}.block_count"):
        config.query_pre_attn_scalar = config.hidden_size // config.num_attention_heads
    config.architectures = [MODEL_FOR_CAUSAL_LM_MAPPING[type(config)].__name__]
    config.dtype = torch.float16
    config._name_or_path = ""


def complete_layers(config: Any, reader: gguf.GGUFReader) -> None:
    """Put the plan of Gemma 3's layers into its config: Google's is the default, and others are made of the same parts. Raises
    ValueError for layers that all see the whole context, as Rnj-1's do: their positions can't be told from Google's."""
    if config.model_type != "gemma3_text":
        return
    said = {name.partition(".")[2]: field.contents() for name, field in reader.fields.items()}
    if "attention.sliding_window" not in said:
        raise ValueError("its layers attend otherwise than Google's Gemma 3, which can't be read from GGUF")
    if isinstance(local := said.get("attention.sliding_window_pattern"), list):
        config.layer_types = ["sliding_attention" if is_local else "full_attention" for is_local in local]
    if cap := said.get("final_logit_softcapping"):
        config.final_logit_softcapping = float(cap)
