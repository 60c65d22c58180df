"""How fast this machine trains: a forward and backward of two layers of the smallest base that `init` suggests."""

import time

import torch
from transformers import Qwen3Config, Qwen3Model

from engine.numerics import autocast, numerics_of

TOKENS = 256  # of one sequence; a small base's step has as many in two or three
TIMES = 3  # the quickest counts: others may share the machine


def training_gflops(device: torch.device) -> float:
    """Return billions of operations a second, in the number formats of a training. As there, no weight gets a gradient.

    A product of two large squares says less: of its speed SmolLM2's training reached a seventh on a server with matrix units
    (AMX), two fifths on another, and a fifth with AVX2.
    """
    config = Qwen3Config(
        vocab_size=1,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=2,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
    )
    with torch.device(device):
        layers = Qwen3Model(config).to(numerics_of(device).weights).requires_grad_(False)
        hidden = torch.rand((1, TOKENS, config.hidden_size), dtype=layers.dtype, requires_grad=True)
    operations = 4 * TOKENS * sum(weight.numel() for weight in layers.layers.parameters())
    return float(operations / min(_seconds(layers, hidden) for _ in range(TIMES)) / 1e9)


def _seconds(layers: Qwen3Model, hidden: torch.Tensor) -> float:
    began = time.perf_counter()
    with autocast(hidden.device):
        out = layers(inputs_embeds=hidden, use_cache=False).last_hidden_state
    (gradient,) = torch.autograd.grad(out.float().square().sum(), hidden)
    float(gradient[0, 0, 0])  # which waits for a card
    return time.perf_counter() - began
