"""Refining an adapter by KTO and by corrections, on rows side by side.

The reference model is the adapter as it was: its losses are taken once, before the first step, so that no second model is
held.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch.nn.utils import clip_grad_norm_

from engine.numerics import LOSS_SCALE, autocast, numerics_of
from persona.errors import UserError
from trainer.loop.batches import Window, collate, pack
from trainer.loop.fused_lora import fused_lora
from trainer.loop.loss import row_losses
from trainer.loop.packing import can_pack, side_by_side
from trainer.refine.kto import balanced_weights, kto_losses, reference_point, rewards
from trainer.refine.preference_rows import PreferenceRow, PreferenceSet

STEP_ROWS = 16  # judged answers of a step, whose mean reward is the reference point
MAX_GRADIENT = 1.0  # norm to which a step's gradient is clipped


@dataclass(frozen=True, slots=True)
class RefinementRecipe:
    """How an adapter is refined. epochs: passes over the judged answers."""

    learning_rate: float
    epochs: int


class RowRunner:
    """A model's losses of rows, as many side by side as fit. budget: tokens at once."""

    def __init__(self, model: PeftModel, budget: int, pad: int) -> None:
        self.model = model
        self._budget = budget
        self._pad = pad
        self._packs = can_pack(model)

    def batches(self, rows: Sequence[Window]) -> Iterator[list[int]]:
        """Yield the indexes of rows that go together, long ones first."""
        batch: list[int] = []
        tokens = 0
        for index in sorted(range(len(rows)), key=lambda index: -len(rows[index].ids)):
            needed = len(rows[index].ids) if self._packs or not batch else len(rows[batch[0]].ids)
            if batch and tokens + needed > self._budget:
                yield batch
                batch, tokens = [], 0
                needed = len(rows[index].ids)
            batch.append(index)
            tokens += needed
        if batch:
            yield batch

    def losses(self, rows: Sequence[Window]) -> torch.Tensor:
        """Return nats [rows] of one batch, longest row first."""
        batch = pack(rows, self._pad) if self._packs else collate(rows, self._pad)
        del batch["header_labels"]
        placed = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
        packed = side_by_side(self.model) if self._packs else nullcontext()
        with packed, fused_lora(self.model), autocast(self.model.device):
            return row_losses(self.model, placed)

    @torch.no_grad()
    def measured(self, rows: Sequence[Window]) -> torch.Tensor:
        """Return nats [n] of any number of rows, without gradients."""
        nats = torch.zeros(len(rows))
        for batch in self.batches(rows):
            nats[batch] = self.losses([rows[index] for index in batch]).float().cpu()
        return nats


class KtoTraining:
    """Steps over the judged answers of a set, and over its corrections in between. Dropout stays off: it would look like a
    reward."""

    def __init__(self, runner: RowRunner, rows: PreferenceSet, recipe: RefinementRecipe, seed: int) -> None:
        self.runner = runner
        self._rows = rows
        self._recipe = recipe
        self._rng = torch.Generator().manual_seed(seed)
        self._weights = balanced_weights(rows.count(liked=True), rows.count(liked=False))
        runner.model.eval()
        self._reference = runner.measured([each.row for each in rows.train])
        self._mismatched = runner.measured([each.mismatched for each in rows.train])
        self._trainable = [weight for weight in runner.model.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trainable, lr=recipe.learning_rate, weight_decay=0.0)
        device = runner.model.device
        self._scaler = torch.amp.GradScaler(device.type, LOSS_SCALE, enabled=numerics_of(device).scales_loss)

    @property
    def steps(self) -> int:
        """Return how many steps all passes take."""
        rows = max(len(self._rows.train), len(self._rows.supervised))
        return self._recipe.epochs * max(1, -(-rows // STEP_ROWS))

    @property
    def trainable(self) -> int:
        """Return how many weights learn."""
        return sum(weight.numel() for weight in self._trainable)

    def try_step(self) -> None:
        """Do the work of a step and forget it: for the time it takes."""
        rows = min(STEP_ROWS, max(len(self._rows.train), len(self._rows.supervised)))
        judged, corrected = (range(min(rows, len(kind))) for kind in (self._rows.train, self._rows.supervised))
        self._gather(judged, corrected)
        self._optimizer.zero_grad()

    def run(self, advance: Callable[..., None]) -> list[dict[str, float]]:
        """Train; returns the loss of each step. advance: called after each."""
        history: list[dict[str, float]] = []
        schedule = torch.optim.lr_scheduler.LinearLR(self._optimizer, 1.0, 0.05, self.steps)
        per_epoch = self.steps // self._recipe.epochs
        for _ in range(self._recipe.epochs):
            judged = self._dealt(len(self._rows.train), per_epoch)
            corrected = self._dealt(len(self._rows.supervised), per_epoch)
            for judged_rows, corrected_rows in zip(judged, corrected, strict=True):
                loss = self._step(judged_rows, corrected_rows)
                schedule.step()
                history.append({"step": len(history) + 1, "loss": loss})
                advance(1, f"loss {loss:.3f}")
        return history

    def _dealt(self, count: int, hands: int) -> list[list[int]]:
        order = torch.randperm(count, generator=self._rng).tolist()
        return [order[hand::hands] for hand in range(hands)]

    def _step(self, judged: Sequence[int], corrected: Sequence[int]) -> float:
        total = self._gather(judged, corrected)
        self._scaler.unscale_(self._optimizer)
        clip_grad_norm_(self._trainable, MAX_GRADIENT)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad()
        return total

    def _gather(self, judged: Sequence[int], corrected: Sequence[int]) -> float:
        """Add up the gradients of a step; returns its loss."""
        answers = [self._rows.train[index] for index in judged]
        z0 = self._reference_point(judged, answers)
        total = 0.0
        share = 1.0 / max(1, len(judged) + len(corrected))
        for batch in self.runner.batches([each.row for each in answers]):
            nats = self.runner.losses([answers[index].row for index in batch])
            reference = self._reference[[judged[index] for index in batch]].to(nats)
            liked = torch.tensor([answers[index].liked for index in batch], device=nats.device)
            total += self._backward(kto_losses(rewards(nats, reference), liked, z0, self._weights).sum() * share)
        supervised = [self._rows.supervised[index] for index in corrected]
        for batch in self.runner.batches(supervised):
            rows = [supervised[index] for index in batch]
            tokens = torch.tensor([sum(row.loss_mask) for row in rows], device=self.runner.model.device)
            total += self._backward((self.runner.losses(rows) / tokens).sum() * share)
        return total

    def _reference_point(self, judged: Sequence[int], answers: Sequence[PreferenceRow]) -> torch.Tensor:
        if not answers:
            return torch.zeros(())
        nats = self.runner.measured([each.mismatched for each in answers])
        return reference_point(rewards(nats, self._mismatched[list(judged)])).to(self.runner.model.device)

    def _backward(self, loss: torch.Tensor) -> float:
        if not torch.isfinite(loss):
            raise UserError("the loss became infinite; lower [train] learning_rate and refine again")
        torch.autograd.backward(self._scaler.scale(loss))
        return float(loss.detach())
