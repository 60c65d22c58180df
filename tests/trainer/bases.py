"""Small base models of real shapes, saved as a user would have them in a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tests import tokenizers

SMALL: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def llama(vocabulary: int) -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(vocab_size=vocabulary, num_key_value_heads=2, max_position_embeddings=256, **SMALL)
    )


def qwen3(vocabulary: int) -> PreTrainedModel:
    return Qwen3ForCausalLM(
        Qwen3Config(vocab_size=vocabulary, num_key_value_heads=2, head_dim=8, max_position_embeddings=256, **SMALL)
    )


def gpt2(vocabulary: int) -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=4, n_positions=128))


def gemma2(vocabulary: int) -> PreTrainedModel:
    """Caps its logits, those of attention too, and sees 24 tokens in half of its layers."""
    more = {"num_key_value_heads": 2, "head_dim": 8, "final_logit_softcapping": 3.0, "max_position_embeddings": 256}
    return Gemma2ForCausalLM(Gemma2Config(vocab_size=vocabulary, sliding_window=24, **more, **SMALL))


def granite(vocabulary: int) -> PreTrainedModel:
    """Scales its logits."""
    more = {"num_key_value_heads": 2, "logits_scaling": 4.0, "max_position_embeddings": 256}
    return GraniteForCausalLM(GraniteConfig(vocab_size=vocabulary, **more, **SMALL))


def loud(vocabulary: int) -> PreTrainedModel:
    """Its hidden states are beyond float16, as Gemma 3's are; what its layers multiply isn't."""
    model = gemma2(vocabulary)
    for layer in model.model.layers:
        torch.nn.init.constant_(layer.post_feedforward_layernorm.weight, 5e4)
    return model


Shape = Callable[[int], PreTrainedModel]
ALL = (llama, qwen3, gpt2, gemma2, granite)


def save(
    folder: Path,
    shape: Shape,
    make: Callable[[], tuple[Tokenizer, int, int | None]] = tokenizers.byte_level_bpe,
    listed: int | list[int] | None = None,
) -> Path:
    """A base in `folder`. listed: the EOS ids of its generation config, if not the tokenizer's."""
    tokenizer, end, bos = make()
    torch.manual_seed(0)
    model = shape(tokenizer.get_vocab_size())
    model.generation_config.eos_token_id = end if listed is None else listed
    model.save_pretrained(folder)
    names = {"eos_token": tokenizer.id_to_token(end)} | (
        {} if bos is None else {"bos_token": tokenizer.id_to_token(bos)}
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder
