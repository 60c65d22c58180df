"""The loss of a model on rows of token ids, without training."""

from collections.abc import Sequence

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from engine.numerics import autocast
from trainer.loop.batches import LengthGroupedSampler, Window, collate
from trainer.loop.loss import IGNORE_INDEX, Loss, install_loss, summed_loss


def measure_loss(model: PreTrainedModel | PeftModel, rows: Sequence[Window], budget: int, pad: int) -> Loss:
    """Return the model's loss on what is said in these rows, without training; who speaks is not counted. budget: tokens a
    batch."""
    install_loss(model)
    was_training = model.training
    model.eval()
    nats, tokens = 0.0, 0
    with torch.inference_mode(), autocast(model.device):
        for picks in LengthGroupedSampler([len(row.ids) for row in rows], budget, shuffle=False) if rows else []:
            batch = collate([rows[pick] for pick in picks], pad)
            del batch["header_labels"]
            nats += float(summed_loss(model, {name: tensor.to(model.device) for name, tensor in batch.items()}))
            tokens += int((batch["labels"] != IGNORE_INDEX).sum())
    model.train(was_training)
    return Loss(nats, tokens, sum(row.characters for row in rows))
