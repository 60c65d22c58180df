"""The sealed probe: a prompt that tells adapter and base apart, however short the training was."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer

from engine.backends.transformers_engine import load_base
from persona.bundle import BaseModelSeal, Seal, Speaker
from persona.encoding import Encoding
from persona.errors import UserError
from tests.engine.stepping import ENCODING, steep_base
from trainer.adapter.probe import TOKENS, find_probe

SEAL = Seal(
    speaker="MARA",
    speakers={"MARA": Speaker(name="Mara", tuned=True)},
    end_of_turn=ENCODING.end_of_turn,
    stops=(ENCODING.end_of_turn,),
    max_length=256,
    base=BaseModelSeal(model="scratch", weights="", architecture="qwen3"),
)


def add_adapter(folder: Path, strength: float) -> Any:
    """A base with an adapter of random weights."""
    torch.manual_seed(0)
    model = get_peft_model(load_base(steep_base(folder)), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=strength) if strength else torch.nn.init.zeros_(weight)
    return model


@pytest.mark.parametrize("strength", [0.003, 0.3])
def test_even_a_weak_adapter_has_a_probe(tmp_path: Path, strength: float) -> None:
    """Its first words differ from the base's, and both can be seen in a text."""
    probe = find_probe(add_adapter(tmp_path, strength), ENCODING, SEAL)
    assert probe is not None
    assert probe.tuned[0] != probe.base[0]
    assert all(ENCODING.decode([first]).strip() for first in (probe.tuned[0], probe.base[0]))
    assert len(probe.ids) + TOKENS <= SEAL.max_length


def test_rounding_changes_neither_first_word(tmp_path: Path) -> None:
    """Each leads every other word of its own, not just the other's: else a quantised engine says a third word."""
    model = add_adapter(tmp_path, 1.0)
    probe = find_probe(model, ENCODING, SEAL)
    assert probe is not None
    ids = torch.tensor([probe.ids])
    with torch.inference_mode():
        tuned = model(ids).logits[0, -1].topk(2).values
        with model.disable_adapter():
            base = model(ids).logits[0, -1].topk(2).values
    assert min(float(first - second) for first, second in (tuned, base)) > 0.4


def test_a_token_that_the_model_has_no_row_for_is_not_asked(tmp_path: Path) -> None:
    """Ollama's Gemma 3 has such: of an image."""
    tokenizer = Tokenizer.from_str(ENCODING.tokenizer.to_str())
    tokenizer.add_tokens([f"<image {number}>" for number in range(500)])
    longer = Encoding(tokenizer, ENCODING.end_of_turn, ENCODING.bos)
    model = add_adapter(tmp_path, 0.3)
    probe = find_probe(model, longer, SEAL)
    assert probe is not None
    assert max(probe.ids) < model.config.vocab_size < longer.vocabulary


def test_an_adapter_that_does_nothing_is_a_fault(tmp_path: Path) -> None:
    """Training did not take."""
    with pytest.raises(UserError, match="the adapter changes nothing in what the base says"):
        find_probe(add_adapter(tmp_path, 0.0), ENCODING, SEAL)
