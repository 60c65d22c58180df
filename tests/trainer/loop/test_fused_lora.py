"""What trains faster on a CPU gives the losses and gradients that PEFT's layers and torch's attention give."""

from contextlib import nullcontext

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora.layer import Linear as LoraLinear
from torch.nn.functional import scaled_dot_product_attention

from tests.trainer import bases
from tests.trainer.loop.test_loss import ENCODING, Shape, gradients, rows_of, talk
from trainer.loop.batches import pack
from trainer.loop.fused_lora import fused_lora
from trainer.loop.loss import install_loss, summed_loss
from trainer.loop.packing import side_by_side
from trainer.loop.short_attention import attend_short


def adapted(shape: Shape, dropout: float = 0.0) -> PeftModel:
    torch.manual_seed(0)
    lora = LoraConfig(
        r=4,
        lora_alpha=12,
        lora_dropout=dropout,
        target_modules="all-linear",
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(shape(ENCODING.vocabulary), lora).train(bool(dropout))
    install_loss(model)
    return model


def step(model: PeftModel, *, fused: bool, half: bool = False) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss and the gradients of one packed batch."""
    batch = pack(rows_of(talk(3), talk(2)))
    with (
        side_by_side(model),
        fused_lora(model) if fused else nullcontext(),
        torch.autocast("cpu", torch.bfloat16, enabled=half),
    ):
        loss = summed_loss(model, batch)
    torch.autograd.backward(loss)
    return float(loss.detach()), gradients(model)


@pytest.mark.filterwarnings("ignore:fan_in_fan_out")
@pytest.mark.parametrize("shape", bases.ALL)
def test_losses_and_gradients_are_those_of_the_plain_layers(shape: Shape) -> None:
    model = adapted(shape)
    (plain, expected), (fused, got) = step(model, fused=False), step(model, fused=True)
    assert fused == pytest.approx(plain, rel=1e-5)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()), msg=name)


def test_in_bfloat16_the_gradients_are_as_near_to_float32s_as_the_plain_layers_are() -> None:
    model = adapted(bases.llama)
    _, exact = step(model, fused=False)
    errors = []
    for fused in (False, True):
        _, got = step(model, fused=fused, half=True)
        assert all(gradient.dtype == torch.float32 for gradient in got.values())
        errors.append(sum(float((got[name] - exact[name]).norm() / exact[name].norm()) for name in exact) / len(exact))
    assert errors[1] < 1.2 * errors[0] < 0.2


def test_a_share_of_what_goes_into_the_adapter_is_dropped_and_the_rest_makes_up_for_it() -> None:
    model = adapted(bases.llama, dropout=0.25)
    layer = next(module for module in model.modules() if isinstance(module, LoraLinear))
    torch.nn.init.zeros_(layer.get_base_layer().weight)
    torch.nn.init.eye_(layer.lora_A["default"].weight)
    torch.nn.init.eye_(layer.lora_B["default"].weight)
    x = torch.ones(5000, 32, requires_grad=True)
    with fused_lora(model):
        out = layer(x)[:, :4]  # the rank's four: x itself, dropped or scaled
    torch.autograd.backward(out.sum())
    dropped = float((out == 0).float().mean())
    assert dropped == pytest.approx(0.25, abs=0.02)
    assert x.grad is not None
    torch.testing.assert_close(x.grad[:, :4], out.detach())  # what was dropped gets no gradient
    assert float(out.detach().mean()) == pytest.approx(layer.scaling["default"], rel=0.03)


def test_a_dropout_near_one_leaves_something() -> None:
    """[train] dropout takes any number below 1."""
    loss, got = step(adapted(bases.llama, dropout=0.999), fused=True)
    assert torch.isfinite(torch.tensor(loss))
    assert all(bool(gradient.isfinite().all()) for gradient in got.values())


def test_no_dropout_where_the_model_does_not_train() -> None:
    model = adapted(bases.llama, dropout=0.5)
    once, again = step(model.eval(), fused=True)[0], step(model, fused=True)[0]
    assert once == again


def test_outside_the_block_and_where_the_adapter_is_off_layers_are_as_before() -> None:
    model = adapted(bases.llama)
    layers = [module for module in model.modules() if isinstance(module, LoraLinear)]
    with fused_lora(model):
        assert all("forward" in vars(layer) for layer in layers)
    assert not any("forward" in vars(layer) for layer in layers)
    with model.disable_adapter(), fused_lora(model):
        assert not any("forward" in vars(layer) for layer in layers)


@pytest.mark.parametrize(("heads", "keys"), [(4, 4), (4, 2), (6, 1)])
def test_short_attention_is_attention(heads: int, keys: int) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, count, 17, 8, requires_grad=True) for count in (heads, keys, keys))
    direction = torch.randn(3, heads, 17, 8)
    ways = (
        scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3, enable_gqa=True),
        attend_short(query, key, value, 0.3),
    )
    expected, got = ((way, *torch.autograd.grad(way, (query, key, value), direction)) for way in ways)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_what_a_layer_returns_can_be_changed_in_place() -> None:
    """Gemma 3n writes into a layer's output."""
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Linear(8, 6))
    model = get_peft_model(plain, LoraConfig(r=2, target_modules=["0"], init_lora_weights=False))
    x, grads = torch.randn(2, 3, 8), []
    for within in (nullcontext, lambda: fused_lora(model)):
        with within():
            out = model(x)
            out[..., :2] *= 3
        grads.append(torch.autograd.grad(out.square().sum(), [w for w in model.parameters() if w.requires_grad]))
    for expected, found in zip(*grads, strict=True):
        torch.testing.assert_close(found, expected)
