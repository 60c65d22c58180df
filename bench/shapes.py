"""Models of real shapes and random weights, with a tokenizer of their size, as a folder and as GGUF."""

from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from persona.encoding import Encoding
from trainer.bundle.gguf_file import write_gguf

END = "<|end_of_turn|>"
LONGEST = 2048
SPREAD = 4.3  # standard deviation of the logits: a token then carries a few nats, as in a chat, not ten


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape to measure. vocabulary: ids."""

    name: str
    vocabulary: int
    config: Any


def small() -> Shape:
    """A Llama of 512 by 8, 42M parameters and a vocabulary of 32,000."""
    return Shape(
        "small",
        32_000,
        LlamaConfig(
            vocab_size=32_000,
            hidden_size=512,
            intermediate_size=1408,
            num_hidden_layers=8,
            num_attention_heads=8,
            num_key_value_heads=4,
            max_position_embeddings=LONGEST,
            tie_word_embeddings=True,
        ),
    )


def half_billion() -> Shape:
    """Qwen2.5-0.5B's: 494M parameters, a vocabulary of 151,936."""
    return Shape(
        "0.5B",
        151_936,
        Qwen2Config(
            vocab_size=151_936,
            hidden_size=896,
            intermediate_size=4864,
            num_hidden_layers=24,
            num_attention_heads=14,
            num_key_value_heads=2,
            max_position_embeddings=LONGEST,
            rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
            tie_word_embeddings=True,
        ),
    )


SHAPES = {"small": small, "0.5B": half_billion}


def random_model(shape: Shape) -> Any:
    """Random weights; every token shows in a text, and the end of a turn never comes, so that lengths are those asked
    for."""
    torch.manual_seed(0)
    kind = {"llama": LlamaForCausalLM, "qwen2": Qwen2ForCausalLM}[shape.config.model_type]
    model = kind(shape.config)
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight.normal_(std=SPREAD / shape.config.hidden_size**0.5)
        weight[0] = 0  # the end of a turn
        weight[1:257] *= 0.01  # bytes, which alone are no text
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def encoding_for(vocabulary: int) -> Encoding:
    """A byte-level BPE of exactly so many ids: all bytes, then words of two letters, three, four, as many as fit."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = {END: 0, **{char: number for number, char in enumerate(alphabet, start=1)}}
    merges: list[tuple[str, str]] = []
    stems = list(ascii_lowercase)
    while len(pieces) < vocabulary:
        pairs = [(stem, char) for stem in stems for char in ascii_lowercase][: vocabulary - len(pieces)]
        merges += pairs
        stems = ["".join(pair) for pair in pairs]
        pieces |= {piece: number for number, piece in enumerate(stems, start=len(pieces))}
    tokenizer = Tokenizer(models.BPE(pieces, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END])
    return Encoding(tokenizer, 0)


def gguf_of(model: Any, encoding: Encoding, folder: Path, precision: str) -> Path:
    """The model as GGUF in `folder`, written once."""
    path = folder / f"{model.config.model_type}-{model.config.vocab_size}-{precision}.gguf"
    if not path.is_file():
        write_gguf(model, encoding, path, precision)
    return path
