"""The training loop's only home: transformers' Trainer over token-budget batches, for growing a base and for LoRA."""

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

from engine.backends.transformers_engine import best_device, cpu_has_bf16
from persona.errors import UserError
from trainer.loop.batches import Batch, Batches, TokenBudget, TokenSets, Window, collate
from trainer.loop.callbacks import Watch
from trainer.loop.checkpoints import KEPT
from trainer.loop.distributed import world
from trainer.loop.held_out_loss import measure
from trainer.loop.loss import Loss, returns_loss, summed_loss
from trainer.loop.memory import Fit
from trainer.loop.packing import side_by_side
from trainer.progress import Bars

EVALUATIONS = 2  # an epoch


def order_of(
    rows: Sequence[Window], fit: Fit, *, packs: bool, seed: int = 0, rank: int = 0, world: int = 1
) -> TokenBudget | TokenSets:
    """The steps of an epoch, dealt out to processes and forwards. packs: whether the model takes rows side by side."""
    kind = TokenSets if packs else TokenBudget
    return kind([len(row.ids) for row in rows], fit.tokens, seed=seed, parts=fit.parts, rank=rank, world=world)


class Diverged(UserError):
    """The loss became infinite."""


class TokenTrainer(Trainer):
    """Trainer with our batches and our loss. Evaluates to bits per character. in_order: rows as they lie, a batch's
    tokens' worth at a time. packs: rows side by side, for models that `can_pack`."""

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
        returns_loss(rest["model"])
        super().__init__(train_dataset=cast(Any, rows), eval_dataset=cast(Any, held_out), **rest)
        self.model_accepts_loss_kwargs = True  # the loss below is divided by the targets of the whole step
        self._rows = rows
        self._held_out = held_out
        self._fit = fit
        self._pad = pad
        self._in_order = in_order
        self._packs = packs

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """Batches of rows, dealt out to processes and forwards."""
        rows = cast(Any, self._rows)
        if self._in_order:
            size = max(1, self._fit.tokens // len(self._rows[0].ids))
            padded = partial(collate, pad=self._pad)
            return DataLoader(rows, batch_size=size, sampler=SequentialSampler(rows), collate_fn=padded)
        shared = {"rank": self.args.process_index, "world": self.args.world_size}
        order = order_of(self._rows, self._fit, packs=self._packs, seed=self.args.seed, **shared)
        return Batches(rows, order, self._pad)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Forward and backward: layers that are run again in the backward pass have to attend as they did."""
        packed = side_by_side(cast(PreTrainedModel, self.model)) if self._packs else nullcontext()
        with packed:
            return cast(torch.Tensor, super().training_step(*args, **kwargs))

    def compute_loss(
        self, model: torch.nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean nats a target token of the whole step, whoever computes it: DDP divides by the processes again."""
        nats = summed_loss(model, inputs)
        if not torch.isfinite(nats):
            lengths = inputs["lengths"].tolist() if self._packs else None
            rows, longest = (len(lengths), max(lengths)) if lengths else inputs["input_ids"].shape
            raise Diverged(
                f"the loss became infinite at step {self.state.global_step + 1} of {self.state.max_steps}, "
                f"on a batch of {rows} rows of up to {longest} tokens; lower [train] learning_rate and train again"
            )
        return nats * self.args.world_size / max(1, int(num_items_in_batch))

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """eval_loss and eval_bits_per_character on the held-out rows, shared out to the processes."""
        shared = self._held_out[self.args.process_index :: self.args.world_size]
        found = measure(cast(PreTrainedModel, self.model), shared, self._fit.tokens // self._fit.parts, self._pad)
        figures = torch.tensor([found.nats, found.tokens, found.characters], dtype=torch.float64)
        nats, tokens, characters = self.accelerator.reduce(figures.to(self.args.device)).tolist()
        found = Loss(nats, int(tokens), int(characters))
        metrics = {"eval_loss": found.nats / max(1, found.tokens), "eval_bits_per_character": found.bits_per_character}
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def go_back(self) -> int:
        """Put the adapter of the best evaluation so far back; returns its step, 0 where there was none."""
        best = self.state.best_model_checkpoint
        if not self.state.best_metric or best is None or not Path(best).is_dir() or self.args.world_size > 1:
            return 0
        set_peft_model_state_dict(self.model, load_peft_weights(best, device="cpu"))
        return int(self.state.best_global_step)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training did. history: the Trainer's log."""

    steps: int
    seconds: float
    tokens: int
    history: list[dict[str, float]]


def arguments(
    folder: Path, *, epochs: float, rate: float, seed: int, steps: int, evaluate: bool, fit: Fit, **more: Any
) -> TrainingArguments:
    """The Trainer's settings that both trainings share; whatever its default, it is stated here if it matters. steps: of
    an epoch."""
    device = best_device()
    every = max(1, steps // EVALUATIONS)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, steps // 20),
        weight_decay=0.0,
        max_grad_norm=1.0,
        gradient_accumulation_steps=fit.parts,
        activation_checkpointing=fit.checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if fit.checkpointing else None,
        seed=seed,
        data_seed=seed,
        bf16=device.type == "cuda" or (device.type == "cpu" and cpu_has_bf16()),
        tf32=True if device.type == "cuda" else None,
        use_cpu=device.type == "cpu",
        ddp_backend=None if world()[1] == 1 else "nccl" if device.type == "cuda" else "gloo",
        ddp_find_unused_parameters=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=every,
        save_steps=every,
        save_total_limit=KEPT,
        load_best_model_at_end=evaluate,
        metric_for_best_model="loss",
        greater_is_better=False,
        logging_steps=max(1, min(10, steps)),
        remove_unused_columns=False,
        include_num_input_tokens_seen="all",
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
        **{"optim": "adamw_torch_fused", "report_to": [], "save_strategy": "no", **more},
    )


def run(
    trainer: TokenTrainer,
    name: str,
    bars: Bars,
    *,
    seconds: float = math.inf,
    on_evaluate: Callable[[int, Mapping[str, float]], None] | None = None,
    since: Path | None = None,
) -> Trained:
    """Train to the end, the early stop or the time budget, with a bar; where the loss becomes infinite, the best adapter
    so far is the result. since: the checkpoint to go on from."""
    start = time.monotonic()
    for noisy in [one for one in trainer.callback_handler.callbacks if type(one).__name__ == "PrinterCallback"]:
        trainer.remove_callback(noisy)
    with bars.task(name, 1) as advance:
        watch = Watch(advance, seconds, on_evaluate, partial(bars.figures, name))
        trainer.add_callback(watch)
        try:
            trainer.train(resume_from_checkpoint=str(since) if since else None)
        except Diverged as fault:
            if not (step := trainer.go_back()):
                raise
            bars.say(f"{fault}; what is kept is the adapter of step {step}, the best so far")
    state = trainer.state
    return Trained(
        state.global_step,
        time.monotonic() - start,
        round(state.num_input_tokens_seen) - watch.tokens_before,
        cast(list[dict[str, float]], state.log_history),
    )
