"""The training loop's only home: transformers' Trainer over token-budget batches, for growing a base and for LoRA."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, SequentialSampler
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations import TensorBoardCallback

from bot.engine.transformers_engine import best_device, cpu_has_bf16
from persona.config import Train
from persona.fault import Fault
from trainer.batches import IGNORED, Batch, TokenBudget, Window, collate
from trainer.progress import Bars

PATIENCE = 2  # evaluations without a better held-out loss before training stops
EVALUATIONS = 2  # an epoch


@dataclass(frozen=True, slots=True)
class Loss:
    """nats over so many target tokens, which stand for so many characters."""

    nats: float
    tokens: int
    characters: int

    @property
    def bits_per_character(self) -> float:
        """Comparable across tokenizers."""
        return self.nats / math.log(2) / max(1, self.characters)

    @property
    def perplexity(self) -> float:
        """Per token."""
        return math.exp(min(self.nats / max(1, self.tokens), 50))


def measure(model: PreTrainedModel | PeftModel, rows: Sequence[Window], budget: int, pad: int) -> Loss:
    """The model's loss on these rows, without training. budget: tokens a batch."""
    was_training = model.training
    model.eval()
    nats, tokens = 0.0, 0
    with torch.inference_mode(), autocast(model.device):
        for picks in TokenBudget([len(row.ids) for row in rows], budget, shuffle=False) if rows else []:
            batch = {
                name: tensor.to(model.device) for name, tensor in collate([rows[pick] for pick in picks], pad).items()
            }
            nats += float(summed_loss(model, batch))
            tokens += int((batch["labels"] != IGNORED).sum())
    model.train(was_training)
    return Loss(nats, tokens, sum(row.characters for row in rows))


def summed_loss(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy in nats summed over a batch's labels. The head runs on label positions only, through the model's
    own logits_to_keep, so that its scaling and capping are kept."""
    mask = batch["attention_mask"]
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=None if bool(mask.all()) else mask,
        use_cache=False,
        logits_to_keep=batch["positions"],
    ).logits
    return cross_entropy(logits.flatten(0, 1).float(), batch["labels"].flatten(), ignore_index=IGNORED, reduction="sum")


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware has it; a no-op elsewhere."""
    return torch.autocast(
        device.type, torch.bfloat16, enabled=(device.type == "cpu" and cpu_has_bf16()) or device.type == "cuda"
    )


class TokenTrainer(Trainer):
    """Trainer with our batches and our loss. Evaluates to bits per character."""

    def __init__(
        self,
        *,
        rows: Sequence[Window],
        held_out: Sequence[Window],
        budget: int,
        pad: int,
        in_order: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._rows = rows
        self._held_out = held_out
        self._budget = budget
        self._pad = pad
        self._in_order = in_order
        self.tokens_seen = 0

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """Batches of rows; in_order: as they lie, budget // length rows each, instead of by length."""
        rows, padded = cast(Any, self._rows), partial(collate, pad=self._pad)
        if self._in_order:
            size = max(1, self._budget // len(self._rows[0].ids))
            return DataLoader(rows, batch_size=size, sampler=SequentialSampler(rows), collate_fn=padded)
        batches = TokenBudget([len(row.ids) for row in self._rows], self._budget, self.args.seed)
        return DataLoader(rows, batch_sampler=batches, collate_fn=padded)

    def compute_loss(
        self, model: torch.nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean nats a target token."""
        self.tokens_seen += int(inputs["attention_mask"].sum())
        loss = summed_loss(model, inputs) / max(1, int((inputs["labels"] != IGNORED).sum()))
        if not torch.isfinite(loss):
            raise Fault("the loss became infinite; lower [train] learning_rate and train again")
        return loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """eval_loss and eval_bits_per_character on the held-out rows."""
        found = measure(cast(PreTrainedModel, self.model), self._held_out, 4 * self._budget, self._pad)
        metrics = {"eval_loss": found.nats / max(1, found.tokens), "eval_bits_per_character": found.bits_per_character}
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training did. history: the Trainer's log."""

    steps: int
    seconds: float
    tokens: int
    history: list[dict[str, float]]


class _Watch(TrainerCallback):
    """Moves the bar, keeps the time budget, and calls after each evaluation."""

    def __init__(
        self,
        advance: Callable[..., None],
        seconds: float,
        on_evaluate: Callable[[int, Mapping[str, float]], None] | None,
    ) -> None:
        self._advance = advance
        self._start = time.monotonic()
        self._seconds = seconds
        self._on_evaluate = on_evaluate
        self._note = ""
        self._done = 0.0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        spent = (time.monotonic() - self._start) / self._seconds
        done = min(1.0, max(state.global_step / state.max_steps, spent))
        self._advance(done - self._done, self._note)
        self._done = done
        if spent > 1:
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        for name, word in (("loss", "loss"), ("eval_bits_per_character", "held-out bits/char")):
            if logs and name in logs:
                self._note = f"{word} {float(logs[name]):.3f}"

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._on_evaluate:
            self._on_evaluate(state.global_step, kwargs.get("metrics", {}))


def arguments(folder: Path, *, epochs: float, rate: float, seed: int, steps: int, evaluate: bool) -> TrainingArguments:
    """The Trainer's settings that both trainings share; whatever its default, it is stated here if it matters."""
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
        optim="adamw_torch_fused",
        seed=seed,
        data_seed=seed,
        bf16=device.type == "cuda" or (device.type == "cpu" and cpu_has_bf16()),
        use_cpu=device.type == "cpu",
        eval_strategy="steps" if evaluate else "no",
        eval_steps=every,
        save_strategy="steps" if evaluate else "no",
        save_steps=every,
        save_total_limit=1,
        load_best_model_at_end=evaluate,
        metric_for_best_model="eval_bits_per_character",
        greater_is_better=False,
        logging_steps=max(1, min(10, steps)),
        report_to=[],
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
    )


def run(
    trainer: TokenTrainer,
    name: str,
    bars: Bars,
    *,
    seconds: float = math.inf,
    on_evaluate: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Trained:
    """Train to the end, the early stop or the time budget, with a bar."""
    start = time.monotonic()
    for noisy in [one for one in trainer.callback_handler.callbacks if type(one).__name__ == "PrinterCallback"]:
        trainer.remove_callback(noisy)
    with bars.task(name, 1) as advance:
        trainer.add_callback(_Watch(advance, seconds, on_evaluate))
        trainer.train()
    return Trained(
        trainer.state.global_step,
        time.monotonic() - start,
        trainer.tokens_seen,
        cast(list[dict[str, float]], trainer.state.log_history),
    )


def train_adapter(
    base: PreTrainedModel,
    rows: Sequence[Window],
    held_out: Sequence[Window],
    settings: Train,
    *,
    rate: float,
    budget: int,
    pad: int,
    folder: Path,
    writer: SummaryWriter,
    bars: Bars,
    on_evaluate: Callable[[PeftModel, int, Mapping[str, float]], None],
) -> tuple[PeftModel, Trained]:
    """LoRA on `rows`, stopped early on `held_out`. Returns the best adapter on its base. folder: for checkpoints.
    writer: TensorBoard's log."""
    torch.manual_seed(settings.seed)
    modules = settings.target_modules if isinstance(settings.target_modules, str) else list(settings.target_modules)
    lora = LoraConfig(
        r=settings.rank,
        lora_alpha=cast(int, settings.alpha),
        lora_dropout=settings.dropout,
        target_modules=modules,
        task_type="CAUSAL_LM",
    )
    try:
        model = cast(PeftModel, get_peft_model(base, lora))
    except ValueError as error:
        raise Fault(f'[train] target_modules does not fit this base ({error}); "all-linear" fits any') from error
    per_epoch = len(TokenBudget([len(row.ids) for row in rows], budget))
    trainer = TokenTrainer(
        model=model,
        args=arguments(
            folder, epochs=settings.epochs, rate=rate, seed=settings.seed, steps=per_epoch, evaluate=bool(held_out)
        ),
        rows=rows,
        held_out=held_out,
        budget=budget,
        pad=pad,
        callbacks=[TensorBoardCallback(writer), *([EarlyStoppingCallback(PATIENCE)] if held_out else [])],
        train_dataset=cast(Any, rows),
        eval_dataset=cast(Any, held_out),
    )
    return model, run(
        trainer, "training the adapter", bars, on_evaluate=lambda step, metrics: on_evaluate(model, step, metrics)
    )


def target_tokens(rows: Iterable[Window]) -> int:
    """How many ids carry loss."""
    return sum(sum(row.targets) for row in rows)
