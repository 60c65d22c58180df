"""Every family that people use, tiny and in its published layout: a step of training, saved, opened, served."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from engine.backends.transformers_engine import TransformersStepper, load_base, untie
from engine.base import Request
from persona.config import Train
from persona.errors import UserError
from tests.engine.stepping import GREEDY, ids_of, prompts
from tests.trainer import families
from tests.trainer.loop.test_loss import ENCODING, rows_of, talk
from trainer.base.checkpoint import is_language_model
from trainer.loop.batches import Window, collate, pack
from trainer.loop.device_memory import activation_bytes
from trainer.loop.lora import add_adapter
from trainer.loop.loss import summed_loss
from trainer.loop.packing import can_pack, side_by_side
from trainer.loop.targets import ALL_LINEAR, target_modules

ROWS = [replace(row, header_mask=[]) for row in rows_of(talk(3, 1), talk(6, 2))]
STATEFUL = (
    "granite4_hybrid",
    "falcon_h1",
    "nemotron_h",
    "zamba2",
    "mamba2",
    "falcon_mamba",
    "lfm2",
    "lfm2_vl",
    "qwen3_next",
    "qwen3_5",
    "qwen3_5_text",
)
SHORT = replace(GREEDY, max_new_tokens=4)
PADDED = (*STATEFUL, "gpt_oss", "minimax")  # whose rows can't lie side by side


@torch.no_grad()
def logits(model: Any, row: Window) -> torch.Tensor:
    return cast(torch.Tensor, model(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0].float())


def plain_loss(model: Any, row: Window) -> float:
    """By the logits of the model's own forward, of a row alone."""
    mask, wanted = torch.tensor(row.loss_mask)[1:], torch.tensor(row.ids)[1:]
    return float(cross_entropy(logits(model, row)[:-1][mask], wanted[mask], reduction="sum"))


def generated(model: Any, ids: tuple[int, ...], count: int) -> list[int]:
    """The greedy continuation without any cache."""
    fed = list(ids)
    for _ in range(count):
        with torch.no_grad():
            fed.append(int(model(input_ids=torch.tensor([fed]), use_cache=False).logits[0, -1].argmax()))
    return fed[len(ids) :]


@pytest.fixture(params=families.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Its name."""
    return str(request.param)


@pytest.fixture
def folder(family: str, tmp_path: Path) -> Path:
    families.make(family, ENCODING.vocabulary).save_pretrained(tmp_path / "base")
    return tmp_path


def opened(folder: Path) -> PreTrainedModel:
    return load_base(folder / "base", None, torch.float32).eval()


@pytest.mark.filterwarnings("ignore")  # of families, about kernels that are not installed
def test_a_family_is_trained_saved_opened_and_served(family: str, folder: Path) -> None:
    """The loss is that of the model's own logits; the merged model says what the trained one does, in a batch too. `init`
    offers it where it lies on the machine."""
    assert is_language_model(json.loads((folder / "base" / "config.json").read_text()))
    model = add_adapter(opened(folder), Train(rank=4, dropout=0.1)).eval()
    _has_the_loss_of_its_logits(family, model)
    _takes_a_step(model)
    after = [logits(model, row) for row in ROWS]
    model.save_pretrained(str(folder / "adapter"))

    base = opened(folder)
    untie(base, model.peft_config["default"])
    again = PeftModel.from_pretrained(base, folder / "adapter").eval()
    assert all(torch.allclose(logits(again, row), old, atol=1e-4) for row, old in zip(ROWS, after, strict=True))
    merged = again.merge_and_unload().eval()
    assert all(torch.allclose(logits(merged, row), old, atol=1e-3) for row, old in zip(ROWS, after, strict=True))

    asked = prompts(2, 20)
    stepper = TransformersStepper(merged, ENCODING.end_of_turn, 4)
    served = ids_of(stepper, [Request(ids, SHORT, seed=0) for ids in asked])
    assert served == [generated(merged, ids, 4) for ids in asked]


def _has_the_loss_of_its_logits(family: str, model: PeftModel) -> None:
    expected = sum(plain_loss(model, row) for row in ROWS)
    with torch.no_grad():
        assert float(summed_loss(model, collate(ROWS))) == pytest.approx(expected, rel=1e-4)
    assert can_pack(model) == (family not in PADDED)
    if can_pack(model):
        with side_by_side(model), torch.no_grad():
            assert float(summed_loss(model, pack(ROWS))) == pytest.approx(expected, rel=1e-4)


def _takes_a_step(model: PeftModel) -> None:
    """Every LoRA has a gradient after two steps (B is zero before the first), and none lies in what sees pictures."""
    model.train()
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.05)
    for _ in range(2):
        optimizer.zero_grad()
        cast(Any, summed_loss(model, collate(ROWS))).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained
    assert not [name for name in trained if "vision" in name or "visual" in name or "projector" in name]
    assert not [name for name, weight in trained.items() if weight.grad is None or not weight.grad.any()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["gemma3", "mistral3", "lfm2_vl", "falcon_h1"])
def test_memory_is_weighed_with_layers_run_again(name: str) -> None:
    """The number of layers stands in the text's part of a config."""
    model = add_adapter(families.make(name, ENCODING.vocabulary), Train(rank=4))
    assert activation_bytes(model, checkpointing=True) > 0


@pytest.mark.parametrize("modules", [["q_proj", "v_proj"], ["k_proj"], ["k_proj", "lm_head"]])
def test_named_layers_are_those_of_the_language_model(modules: list[str]) -> None:
    """Though what sees pictures has layers of the same names. The head stands beside the language model."""
    model = add_adapter(families.make("gemma3", ENCODING.vocabulary), Train.model_validate({"target_modules": modules}))
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in trained} == set(modules)
    assert all(".language_model." in name or "lm_head" in name for name in trained)


def test_a_linear_layer_in_a_list_is_named_with_its_number() -> None:
    """By that alone it would be taken for the layers of the same number."""
    names = target_modules(families.make("zamba2", ENCODING.vocabulary), ALL_LINEAR)
    assert any(name.endswith(".0") for name in names)
    assert not any(name.isdigit() for name in names)


def test_a_checkpoint_that_lacks_weights_is_a_sentence(tmp_path: Path) -> None:
    """They would be random, and the adapter would learn to make up for it."""
    from safetensors.torch import load_file, save_file

    families.make("llama", ENCODING.vocabulary).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    left = {name: weight for name, weight in weights.items() if "layers.1.self_attn" not in name}
    save_file(left, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 4 weights of a LlamaForCausalLM, model.layers.1.self_attn"):
        load_base(tmp_path)
    shutil.rmtree(tmp_path)
