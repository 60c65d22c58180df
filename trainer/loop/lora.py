"""LoRA: an untrained adapter on a base, and its training with early stopping, in the memory at hand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import EarlyStoppingCallback, PreTrainedModel, TrainerCallback, TrainingArguments

from engine.backends.transformers_engine import untie
from engine.numerics import best_device
from persona.config import Train
from persona.errors import UserError
from persona.out_of_memory import is_out_of_memory
from trainer.loop.batches import Window
from trainer.loop.checkpoints import last_complete
from trainer.loop.device_memory import Fit
from trainer.loop.distributed import world
from trainer.loop.left_out import silent_layers, unfit_layers
from trainer.loop.loss import install_loss
from trainer.loop.packing import can_pack
from trainer.loop.targets import lora_dropout, target_modules
from trainer.loop.trainer import TokenTrainer, Trained, build_sampler, run_training, training_arguments
from trainer.progress import Bars

PATIENCE = 2  # evaluations without a lower held-out loss before training stops


def add_adapter(base: PreTrainedModel, settings: Train) -> PeftModel:
    """Return the base with an untrained adapter; the same one for the same seed. Layers that would learn nothing are left out.
    Raises UserError if target_modules name no others."""
    modules = settings.target_modules if isinstance(settings.target_modules, str) else list(settings.target_modules)
    lora = LoraConfig(
        r=settings.rank,
        lora_alpha=cast(int, settings.alpha),
        lora_dropout=lora_dropout(base, settings.dropout),
        target_modules=target_modules(base, modules),
        exclude_modules=unfit_layers(base) or None,
        task_type="CAUSAL_LM",
    )
    try:
        untie(base, lora)
        model = _adapted(base, lora, settings.seed)
        if silent := silent_layers(model):
            lora.exclude_modules = "|".join(filter(None, (cast(str | None, lora.exclude_modules), silent)))
            model = _adapted(cast(PreTrainedModel, model.unload()), lora, settings.seed)
    except ValueError as error:
        raise UserError(
            f'[train] target_modules does not fit this base ({error}); "all-linear" takes all layers that can learn'
        ) from error
    return model


def _adapted(base: PreTrainedModel, lora: LoraConfig, seed: int) -> PeftModel:
    torch.manual_seed(seed)
    model = cast(PeftModel, get_peft_model(base, lora))
    save = partial(model.save_pretrained, save_embedding_layers=False)  # a head's, which are the base's
    cast(Any, model).save_pretrained = save
    install_loss(model)
    return model


def train_adapter(
    model: PeftModel,
    rows: Sequence[Window],
    held_out: Sequence[Window],
    settings: Train,
    *,
    learning_rate: float,
    fit: Fit,
    pad: int,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
    bars: Bars,
    on_evaluate: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Trained:
    """Train the adapter of `model` on `rows`, stopped early on `held_out`; the best one is on the model afterwards.

    If memory runs out it goes on in more micro-batches. folder: for checkpoints; training resumes from one there."""
    packs = can_pack(model)
    if not packs:
        bars.say("this base's attention can't separate packed rows: rows are padded, grouped by length")
    if _is_sharded(settings) and best_device().type != "cuda":
        bars.say("[train] fsdp shards over CUDA cards alone; here every process holds the whole base")
    order = build_sampler(rows, fit, packs=packs)
    fresh = {
        name: weight.detach().cpu().clone()
        for name, weight in get_peft_model_state_dict(model, save_embedding_layers=False).items()
    }
    while True:
        resume_from = last_complete(folder)
        if resume_from:
            bars.say(f"going on at step {resume_from.name.split('-')[1]} of the training that was interrupted")
        else:
            set_peft_model_state_dict(model, fresh)
        torch.manual_seed(settings.seed)
        trainer = TokenTrainer(
            model=model,
            args=_arguments(model, settings, folder, learning_rate, order.batches, fit, evaluate=bool(held_out)),
            rows=rows,
            held_out=held_out,
            fit=fit,
            pad=pad,
            packs=packs,
            callbacks=[*callbacks, *([EarlyStoppingCallback(PATIENCE)] if held_out else [])],
        )
        try:
            return run_training(trainer, "training the adapter", bars, on_evaluate=on_evaluate, resume_from=resume_from)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or trainer.args.world_size > 1:
                raise
            fit = fit.smaller(order.max_rows)
        model.zero_grad()
        bars.say(
            f"memory ran out; going on with {fit.micro_batches} micro-batches a step"
            + fit.checkpointing * " and checkpointing"
        )


def _arguments(
    model: PeftModel, settings: Train, folder: Path, learning_rate: float, steps: int, fit: Fit, *, evaluate: bool
) -> TrainingArguments:
    """steps: of an epoch."""
    return training_arguments(
        folder,
        epochs=settings.epochs,
        learning_rate=learning_rate,
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


def target_tokens(rows: Iterable[Window]) -> int:
    """Return how many ids carry loss."""
    return sum(sum(row.loss_mask) for row in rows)
