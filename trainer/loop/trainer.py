"""The training loop: transformers' Trainer over our batches and loss, for pretraining a base and for LoRA."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from peft import load_peft_weights, set_peft_model_state_dict
from torch.utils.data import DataLoader, SequentialSampler
from transformers import PreTrainedModel, Trainer, TrainerControl, TrainingArguments

from engine.backends.transformers_engine import no_number
from engine.numerics import LOSS_SCALE, best_device, numerics_of
from persona.errors import UserError
from trainer.loop.batches import Batch, BatchLoader, LengthGroupedSampler, PackedSampler, Window, collate
from trainer.loop.callbacks import ProgressCallback
from trainer.loop.checkpoints import MAX_CHECKPOINTS
from trainer.loop.device_memory import Fit
from trainer.loop.distributed import world
from trainer.loop.fused_lora import fused_lora
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.loss import Loss, install_loss, summed_loss
from trainer.loop.packing import side_by_side
from trainer.progress import Bars

EVALUATIONS = 2  # an epoch


def build_sampler(
    rows: Sequence[Window], fit: Fit, *, packs: bool, seed: int = 0, rank: int = 0, world: int = 1
) -> LengthGroupedSampler | PackedSampler:
    """Return the sampler of an epoch's steps, divided among processes and micro-batches. packs: rows lie side by side."""
    sampler = PackedSampler if packs else LengthGroupedSampler
    return sampler(
        [len(row.ids) for row in rows], fit.tokens, seed=seed, micro_batches=fit.micro_batches, rank=rank, world=world
    )


class Diverged(UserError):
    """The loss became infinite."""


class TokenTrainer(Trainer):
    """Trainer with our batches and our loss. Evaluates to bits per character.

    in_order: rows unshuffled, a step's tokens at a time. packs: rows side by side, for models that `can_pack`. evaluating:
    seconds spent on evaluations so far, what they show among them."""

    def __init__(
        self,
        *,
        rows: Sequence[Window],
        held_out: Sequence[Window],
        fit: Fit,
        pad: int,
        in_order: bool = False,
        packs: bool = False,
        **rest: Any,
    ) -> None:
        install_loss(rest["model"])
        super().__init__(train_dataset=cast(Any, rows), eval_dataset=cast(Any, held_out), **rest)
        if self.accelerator.scaler:
            self.accelerator.scaler = torch.amp.GradScaler(self.args.device.type, LOSS_SCALE)
        self.model_accepts_loss_kwargs = True  # the loss below is divided by the targets of the whole step
        self._rows = rows
        self._held_out = held_out
        self._fit = fit
        self._pad = pad
        self._in_order = in_order
        self._packs = packs
        self.evaluating = 0.0

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of an epoch, divided among processes and micro-batches."""
        rows = cast(Any, self._rows)
        if self._in_order:
            size = max(1, self._fit.tokens // len(self._rows[0].ids))
            padded = partial(collate, pad=self._pad)
            return DataLoader(rows, batch_size=size, sampler=SequentialSampler(rows), collate_fn=padded)
        shared = {"rank": self.args.process_index, "world": self.args.world_size}
        sampler = build_sampler(self._rows, self._fit, packs=self._packs, seed=self.args.seed, **shared)
        return BatchLoader(rows, sampler, self._pad)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Run forward and backward: recomputed layers have to attend as they did."""
        packed = side_by_side(cast(PreTrainedModel, self.model)) if self._packs else nullcontext()
        with packed, fused_lora(cast(torch.nn.Module, self.model)):
            return cast(torch.Tensor, super().training_step(*args, **kwargs))

    def compute_loss(
        self, model: torch.nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return mean nats a labelled token of the whole step: DDP divides by the processes again."""
        nats = summed_loss(model, inputs)
        if not torch.isfinite(nats):
            lengths = inputs["lengths"].tolist() if self._packs else None
            rows, longest = (len(lengths), max(lengths)) if lengths else inputs["input_ids"].shape
            computing = numerics_of(self.args.device).autocast or torch.float32
            learned = self.state.global_step
            what_to_do = "lower [train] learning_rate and train again" if learned else no_number(computing)
            raise Diverged(
                f"the loss became infinite at step {self.state.global_step + 1} of {self.state.max_steps}, "
                f"on a batch of {rows} rows of up to {longest} tokens; {what_to_do}"
            )
        return nats * self.args.world_size / max(1, int(num_items_in_batch))

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return eval_loss and eval_bits_per_character on the held-out rows, divided among the processes."""
        began = time.monotonic()
        shared = self._held_out[self.args.process_index :: self.args.world_size]
        loss = measure_loss(
            cast(PreTrainedModel, self.model), shared, self._fit.tokens // self._fit.micro_batches, self._pad
        )
        figures = torch.tensor([loss.nats, loss.tokens, loss.characters], dtype=torch.float64)
        nats, tokens, characters = self.accelerator.reduce(figures.to(self.args.device)).tolist()
        loss = Loss(nats, int(tokens), int(characters))
        metrics = {"eval_loss": loss.nats / max(1, loss.tokens), "eval_bits_per_character": loss.bits_per_character}
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.evaluating += time.monotonic() - began
        return metrics

    def restore_best(self) -> int:
        """Restore the adapter of the best evaluation so far; return its step, 0 if there was none."""
        best = self.state.best_model_checkpoint
        if not self.state.best_metric or best is None or not Path(best).is_dir() or self.args.world_size > 1:
            return 0
        set_peft_model_state_dict(self.model, load_peft_weights(best, device="cpu"))
        return int(self.state.best_global_step)


@dataclass(frozen=True, slots=True)
class Trained:
    """The outcome of a training loop. seconds: without its evaluations. history: the Trainer's log. held_out: nats a token of
    the adapter that is kept, None if it was never evaluated."""

    steps: int
    seconds: float
    tokens: int
    history: list[dict[str, float]]
    held_out: float | None = None


def training_arguments(
    folder: Path, *, epochs: float, learning_rate: float, seed: int, steps: int, evaluate: bool, fit: Fit, **more: Any
) -> TrainingArguments:
    """Return the Trainer's arguments that both trainings share; each that matters is stated. steps: of an epoch."""
    device = best_device()
    every = max(1, math.ceil(steps / EVALUATIONS))  # rounded up: the last of an epoch isn't the last but one
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, steps // 20),
        weight_decay=0.0,
        max_grad_norm=1.0,
        gradient_accumulation_steps=fit.micro_batches,
        activation_checkpointing=fit.checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if fit.checkpointing else None,
        seed=seed,
        data_seed=seed,
        **precision_arguments(device),
        use_cpu=device.type == "cpu",
        ddp_backend=None if world()[1] == 1 else "nccl" if device.type == "cuda" else "gloo",
        ddp_find_unused_parameters=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=every,
        save_total_limit=MAX_CHECKPOINTS,
        load_best_model_at_end=evaluate,
        metric_for_best_model="loss",
        greater_is_better=False,
        logging_steps=max(1, min(10, steps)),
        remove_unused_columns=False,
        include_num_input_tokens_seen="all",
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
        **{"optim": "adamw_torch_fused", "report_to": [], "save_strategy": "no", "save_steps": every, **more},
    )


def precision_arguments(device: torch.device) -> dict[str, bool | None]:
    """Return the Trainer's arguments for the formats of a device; with fp16 it scales the loss."""
    numerics = numerics_of(device)
    # None, not False: the Trainer raises for any value of tf32 on cards before Ampere
    return {
        "bf16": numerics.autocast == torch.bfloat16,
        "fp16": numerics.scales_loss,
        "tf32": True if numerics.tf32 else None,
    }


def run_training(
    trainer: TokenTrainer,
    name: str,
    bars: Bars,
    *,
    seconds: float = math.inf,
    on_evaluate: Callable[[int, Mapping[str, float]], None] | None = None,
    resume_from: Path | None = None,
) -> Trained:
    """Train to the end, the early stop or the time limit, with a bar; if the loss becomes infinite, the best adapter so
    far is the result. resume_from: the checkpoint to go on from."""
    start = time.monotonic()
    for callback in [each for each in trainer.callback_handler.callbacks if type(each).__name__ == "PrinterCallback"]:
        trainer.remove_callback(callback)
    with bars.task(name, 1) as advance:
        progress = ProgressCallback(advance, seconds, on_evaluate, partial(bars.figures, name))
        trainer.add_callback(progress)
        try:
            trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
        except Diverged as fault:
            if not (step := trainer.restore_best()):
                raise
            bars.warn(f"{fault}; what is kept is the adapter of step {step}, the best so far")
    state = trainer.state
    return Trained(
        state.global_step,
        time.monotonic() - start - trainer.evaluating,
        round(state.num_input_tokens_seen) - progress.tokens_before,
        cast(list[dict[str, float]], state.log_history),
        state.best_metric,
    )
