"""An adapter goes to servers that refuse a LoRA on the head: without it, and otherwise as it was."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from engine.backends.transformers_engine import load_base
from persona.bundle import current
from persona.config import load
from tests.conftest import Home, run_here
from trainer.__main__ import app
from trainer.export.plain_lora import CONFIG, WEIGHTS, head_modules, without_heads


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["q_proj", "lm_head", "v_proj"], ["q_proj", "v_proj"]),
        (r"model\.layers\..*(?:q_proj)|lm_head", r"model\.layers\..*(?:q_proj)"),
        (["q_proj"], ["q_proj"]),
    ],
)
def test_the_head_is_taken_from_the_targets(targets: object, expected: object) -> None:
    """Lists of names and regular expressions, as PEFT writes them."""
    assert without_heads(targets, {"lm_head"}) == expected


def test_heads_belong_to_no_layer() -> None:
    """Whatever they are called."""
    names = ("layers.0.self_attn.q_proj.lora_A.weight", "layers.1.mlp.up_proj.lora_B.weight")
    body = [f"base_model.model.model.{name}" for name in names]
    assert head_modules([*body, "base_model.model.lm_head.lora_A.weight"]) == {"lm_head"}
    assert head_modules([*body, "base_model.model.embed_out.lora_B.weight"]) == {"embed_out"}
    assert head_modules(body) == set()


def test_what_the_body_holds_beside_its_layers_is_no_head() -> None:
    """Gemma 4's projection to all layers, and a head beside the body in a model that hears."""
    body = [f"base_model.model.model.language_model.{name}.lora_A.weight" for name in ("layers.0.o_proj", "projection")]
    assert head_modules(body) == set()
    assert head_modules([*body, "base_model.model.lm_head.lora_A.weight"]) == {"lm_head"}
    heard = [f"base_model.model.language_model.{name}.lora_A.weight" for name in ("model.layers.0.o_proj", "lm_head")]
    assert head_modules(heard) == {"language_model.lm_head"}


def test_what_is_left_says_the_same_but_for_the_bias(trained: Home, tmp_path: Path) -> None:
    """PEFT loads it on the base; hidden states are those of the bundle, logits differ by the bias alone."""
    done = run_here(
        app, "python -m trainer", "export", "--plain-lora", str(tmp_path / "plain"), "--config", str(trained.config)
    )
    assert done.returncode == 0, done.stderr
    assert "without the LoRA on lm_head" in done.stdout
    bundle = current(load(trained.config, {}).adapters)
    whole, plain = load_file(bundle.folder / WEIGHTS), load_file(tmp_path / "plain" / WEIGHTS)
    assert {name for name in whole if "lm_head" not in name} == set(plain)
    assert all(torch.equal(whole[name], weight) for name, weight in plain.items())
    assert "lm_head" not in str(json.loads((tmp_path / "plain" / CONFIG).read_text())["target_modules"])
    model = PeftModel.from_pretrained(load_base(bundle.folder / "base", None, torch.float32), tmp_path / "plain")
    assert not any("lm_head" in name and "lora" in name for name, _ in model.named_parameters())
