"""LoRA: an untrained adapter on a base, and its training, stopped early, in as little memory as there is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import EarlyStoppingCallback, PreTrainedModel, TrainerCallback, TrainingArguments

from engine.backends.transformers_engine import best_device, untie
from persona.config import Train
from persona.errors import UserError
from trainer.loop.batches import Window
from trainer.loop.checkpoints import last_whole
from trainer.loop.distributed import world
from trainer.loop.loss import returns_loss
from trainer.loop.memory import Fit
from trainer.loop.packing import can_pack
from trainer.loop.trainer import TokenTrainer, Trained, arguments, order_of, run
from trainer.progress import Bars

PATIENCE = 2  # evaluations without a lower held-out loss before training stops


def adapted(base: PreTrainedModel, settings: Train) -> PeftModel:
    """The base with an untrained adapter on it; the same one for the same seed."""
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
        untie(base, lora)
        model = cast(PeftModel, get_peft_model(base, lora))
    except ValueError as error:
        raise UserError(f'[train] target_modules does not fit this base ({error}); "all-linear" fits any') from error
    returns_loss(model)
    return model


def train_adapter(
    model: PeftModel,
    rows: Sequence[Window],
    held_out: Sequence[Window],
    settings: Train,
    *,
    rate: float,
    fit: Fit,
    pad: int,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
    bars: Bars,
    on_evaluate: Callable[[int, Mapping[str, float]], None],
) -> Trained:
    """Train the adapter of `model` on `rows`, stopped early on `held_out`; the one that is kept is on the model then. Where
    memory runs out it goes on in smaller parts. folder: for checkpoints; one that lies there is where it goes on."""
    packs = can_pack(model)
    if not packs:
        bars.say("this base's attention can't keep rows apart: they are padded, those of like length together")
    if _is_sharded(settings) and best_device().type != "cuda":
        bars.say("[train] fsdp shards over CUDA cards alone; here every process holds the whole base")
    order = order_of(rows, fit, packs=packs)
    fresh = {name: weight.detach().cpu().clone() for name, weight in get_peft_model_state_dict(model).items()}
    while True:
        since = last_whole(folder)
        if since:
            bars.say(f"going on at step {since.name.split('-')[1]} of the training that was interrupted")
        else:
            set_peft_model_state_dict(model, fresh)
        torch.manual_seed(settings.seed)
        trainer = TokenTrainer(
            model=model,
            args=_arguments(model, settings, folder, rate, order.batches, fit, evaluate=bool(held_out)),
            rows=rows,
            held_out=held_out,
            fit=fit,
            pad=pad,
            packs=packs,
            callbacks=[*callbacks, *([EarlyStoppingCallback(PATIENCE)] if held_out else [])],
        )
        try:
            return run(trainer, "training the adapter", bars, on_evaluate=on_evaluate, since=since)
        except RuntimeError as error:
            if not _is_out_of_memory(error) or trainer.args.world_size > 1:
                raise
            fit = fit.smaller(order.most_rows)
        model.zero_grad()
        bars.say(
            f"memory ran out; going on with {fit.parts} forwards a step" + fit.checkpointing * " and checkpointing"
        )


def _arguments(
    model: PeftModel, settings: Train, folder: Path, rate: float, steps: int, fit: Fit, *, evaluate: bool
) -> TrainingArguments:
    """steps: of an epoch."""
    return arguments(
        folder,
        epochs=settings.epochs,
        rate=rate,
        seed=settings.seed,
        steps=steps,
        evaluate=evaluate,
        fit=fit,
        save_strategy="steps",
        report_to=list(settings.report_to),
        fsdp=settings.fsdp if _is_sharded(settings) else None,
        optim="paged_adamw_8bit" if getattr(model, "is_quantized", False) else "adamw_torch_fused",
    )


def _is_sharded(settings: Train) -> bool:
    return bool(settings.fsdp) and world()[1] > 1


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def target_tokens(rows: Iterable[Window]) -> int:
    """How many ids carry loss."""
    return sum(sum(row.targets) for row in rows)
