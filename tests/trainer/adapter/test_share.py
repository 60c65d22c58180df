"""How much of a trained adapter is kept."""

import pytest
import torch
from peft import PeftModel

from tests.trainer.adapter.test_logit_bias import IDS, add_adapter, logits, rows
from trainer.adapter.share import SHARES, keep_share, scale_adapter
from trainer.loop.batches import collate
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.loss import summed_loss

HELD_OUT = rows()
BUDGET, PAD = 512, 0


def test_an_adapter_that_went_too_far_is_halved_until_it_helps() -> None:
    """Steps along the gradient, each twice as far, up to the first that is worse than the base: half of that one isn't."""
    model = stepped()
    while nats(model) < nats_of_base(model):
        scale_adapter(model, 2)
    assert keep_share(model, HELD_OUT, BUDGET, PAD) == 0.5
    assert nats(model) <= nats_of_base(model)


def test_one_that_helps_is_left_alone() -> None:
    """To the last weight; and so is one that nothing is held out to measure."""
    model = stepped()
    before = logits(model)
    assert keep_share(model, HELD_OUT, BUDGET, PAD) == keep_share(model, [], BUDGET, PAD) == 1
    assert torch.equal(logits(model), before)


def test_of_one_that_only_harms_the_least_is_kept() -> None:
    """It differs from the base still, or it would be no adapter."""
    model = stepped()
    scale_adapter(model, -1)
    assert keep_share(model, HELD_OUT, BUDGET, PAD) == SHARES[-1]
    with model.disable_adapter():
        base = logits(model)
    assert not torch.equal(logits(model, IDS), base)


@pytest.mark.parametrize(("more", "share"), [(-0.1, 1.0), (0.1, 0.5)])
def test_what_was_measured_is_not_measured_again(more: float, share: float) -> None:
    """It decides of the whole adapter, as if it were measured here: a little better than the base, a little worse. A half is
    measured."""
    model = stepped()
    with model.disable_adapter():
        loss = measure_loss(model, HELD_OUT, BUDGET, PAD)
    assert keep_share(model, HELD_OUT, BUDGET, PAD, loss.nats / loss.tokens + more) == share


def stepped() -> PeftModel:
    """With an adapter a little way down the gradient of what is held out."""
    model = add_adapter()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.zero_()
    batch = collate(HELD_OUT, PAD)
    del batch["header_labels"]
    torch.as_tensor(summed_loss(model, batch)).backward()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name and weight.grad is not None:
                weight.sub_(1e-3 * weight.grad)
    return model


def nats(model: PeftModel) -> float:
    return measure_loss(model, HELD_OUT, BUDGET, PAD).nats


def nats_of_base(model: PeftModel) -> float:
    with model.disable_adapter():
        return nats(model)
