"""Weights laid out for oneDNN say what they said before."""

from pathlib import Path
from platform import machine

import pytest
import torch
from transformers import FalconMambaConfig, FalconMambaForCausalLM, PreTrainedModel

from engine.backends.transformers_engine import load_base
from engine.choose_forward import forward_of
from engine.packed_forward import PackedForward
from engine.prepacked_linear import MIN_WEIGHT_BYTES, X86, PrepackedLinear, prepack_linear
from tests.trainer import bases

if machine() not in X86:
    pytest.skip("weights are laid out on x86 alone", allow_module_level=True)


def test_the_large_are_laid_out_and_the_small_are_not() -> None:
    """Of two in one model."""
    model = bases.llama(MIN_WEIGHT_BYTES // 4 // 32)  # so that the head is exactly large enough
    model = prepack_linear(model.eval())
    assert {name for name, layer in model.named_modules() if isinstance(layer, PrepackedLinear)} == {"lm_head"}


def mamba(vocabulary: int) -> PreTrainedModel:
    """No attention, and weights that are multiplied without their layer being called."""
    config = FalconMambaConfig(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, state_size=4)
    return FalconMambaForCausalLM(config)


@pytest.mark.parametrize("make", [bases.llama, bases.qwen3, bases.gpt2, bases.granite])
@pytest.mark.parametrize("tokens", [1, 3, 40])
def test_logits_stay_as_they_were(make, tokens: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Of every kind of base, biases and tied embeddings included, for one token and for many."""
    model = load_base(bases.save(tmp_path, make)).eval()
    ids = torch.arange(tokens)[None] + 5
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        after = prepack_linear(model, min_bytes=0)(input_ids=ids).logits
    assert any(isinstance(layer, PrepackedLinear) for layer in model.modules())
    assert torch.allclose(before, after, atol=1e-5)


@pytest.mark.parametrize("make", [bases.gemma2, mamba])
def test_models_that_are_not_packed_stay_as_they_are(make) -> None:  # type: ignore[no-untyped-def]
    """They may ask for a weight in ways of their own."""
    model = prepack_linear(make(500).eval(), min_bytes=0)
    assert not any(isinstance(layer, PrepackedLinear) for layer in model.modules())
    assert torch.isfinite(model(input_ids=torch.tensor([[5, 6, 7]])).logits).all()


def test_they_can_be_packed() -> None:
    """The engine's own forward runs over them."""
    assert isinstance(forward_of(prepack_linear(bases.qwen3(500).eval(), min_bytes=0)), PackedForward)


def test_other_types_are_left_alone() -> None:
    """Only what was measured is laid out."""
    model = prepack_linear(bases.llama(500).to(torch.bfloat16), min_bytes=0)
    assert not any(isinstance(layer, PrepackedLinear) for layer in model.modules())
