"""The way from a corpus to a current bundle: base, windows, LoRA, measure, seal."""

import asyncio
import contextlib
import hashlib
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import PeftModel
from torch.utils.tensorboard import SummaryWriter
from transformers.integrations import TensorBoardCallback

from engine.backends.transformers_engine import transformers_engine
from engine.voice import Voice
from persona.bundle import Bundle, Seal, draft, point_current, publish
from persona.config import Settings
from persona.sampling import SamplingParams
from persona.transcript import Turn
from trainer.adapter.probe import find_probe
from trainer.adapter.setup import (
    Material,
    emphasised,
    fitted,
    learning_rate,
    prepare,
    require_enough,
    target_speakers,
)
from trainer.base.loading import Base, open_base
from trainer.bundle.config_hash import recipe
from trainer.bundle.provenance import write_heard
from trainer.bundle.sealing import fill, seal_of
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.finalize import finalize
from trainer.loop.batches import Window, windows_of
from trainer.loop.checkpoints import alone, work_folder
from trainer.loop.distributed import world
from trainer.loop.held_out_loss import measure
from trainer.loop.lora import adapted, target_tokens, train_adapter
from trainer.loop.loss import Loss
from trainer.loop.trainer import Trained
from trainer.progress import Bars

TENSORBOARD = "tensorboard"  # its folder


@dataclass(frozen=True, slots=True)
class Result:
    """What a training brought: the bundle and its figures. speaks: whether it became current."""

    bundle: Bundle
    metrics: Mapping[str, Any]
    speaks: bool


def train(settings: Settings, corpus: Corpus, bars: Bars, *, forced: bool = False) -> Result | None:
    """Train an adapter on the corpus, measure and seal it, and make it current unless it is worse than the one that is
    (forced: even then). Raises UserError; nothing is left behind then but checkpoints, from which the same training goes on.
    None in a process that only helped another."""
    rank, _ = world()
    require_enough(settings, corpus)  # before a base is grown for it
    with contextlib.nullcontext() if rank else alone(settings.adapters):
        return _train(settings, corpus, bars, rank, forced=forced)


def _train(settings: Settings, corpus: Corpus, bars: Bars, rank: int, *, forced: bool) -> Result | None:
    began = time.monotonic()
    material = prepare(settings, corpus, open_base(settings, corpus, bars))
    base, judge_b = material.base, material.judge_b
    untuned = measure(material.model, judge_b, material.fit.tokens, base.encoding.end_of_turn)
    work = work_folder(settings.adapters, _key(settings, corpus, base))
    seal = seal_of(settings, corpus, base, target_speakers(settings, corpus))
    trained = _tuned(settings, material, seal, work, bars)
    if rank:
        return None
    model = emphasised(settings, base, material.model, material.rows, corpus.in_split(TRAIN))
    with draft(settings.adapters) as folder:
        tuned = measure(model, judge_b, material.fit.tokens, base.encoding.end_of_turn)
        metrics = _metrics(trained, untuned, tuned, material.rows, time.monotonic() - began)
        seal = seal.model_copy(update={"metrics": metrics, "probe": find_probe(model, base.encoding, seal)})
        shutil.copytree(work / TENSORBOARD, folder / "private" / TENSORBOARD)
        write_heard(corpus, folder)
        seal = fill(folder, model, base, settings, trained, seal, corpus.in_split(TRAIN), bars)
        spent = time.monotonic() - began
        finalized = finalize(settings, corpus, Bundle(folder, seal), spent=spent, forced=forced, bars=bars)
        seal = finalized.sealed(seal)
        bundle = publish(
            folder, _refitted(settings, corpus, trained, seal, folder, bars) if settings.train.refit else seal
        )
    if finalized.becomes_current:
        point_current(bundle)
    shutil.rmtree(work.parent, ignore_errors=True)
    return Result(bundle, bundle.seal.metrics, finalized.becomes_current)


def _key(settings: Settings, corpus: Corpus, base: Base) -> str:
    """The name of this very training: what it goes on from must have been made of the same."""
    made_of = "\n".join((recipe(settings), corpus.fingerprint, base.seal.weights, base.seal.revision))
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _tuned(settings: Settings, material: Material, seal: Seal, work: Path, bars: Bars) -> Trained:
    base, model = material.base, material.model
    bars.say(
        f"training on {len(material.rows):,} conversations, {target_tokens(material.rows):,} tokens of "
        f"{settings.persona.name}'s; {len(material.judge_a):,} held out"
    )
    writer = SummaryWriter(str(work / TENSORBOARD))

    def show(step: int, metrics: Mapping[str, float]) -> None:
        bars.say(f"step {step}: held-out {metrics['eval_bits_per_character']:.3f} bits per character; it says:")
        for number, text in enumerate(_samples(model, base, seal)):
            bars.say(f"  {text}")
            writer.add_text(f"sample {number + 1}", text, step)

    trained = train_adapter(
        model,
        material.rows,
        material.judge_a,
        settings.train,
        rate=learning_rate(settings, base),
        fit=material.fit,
        pad=base.encoding.end_of_turn,
        folder=work,
        callbacks=[TensorBoardCallback(writer)],
        bars=bars,
        on_evaluate=show if world()[0] == 0 else _silent,
    )
    writer.close()
    return trained


def _silent(_step: int, _metrics: Mapping[str, float]) -> None:
    """What a process does that only helps another."""


def _samples(model: PeftModel, base: Base, seal: Seal) -> list[str]:
    """Three texts from the adapter as it is now: two tweets and the start of a chat."""
    model.eval()
    engine = transformers_engine(model, base.encoding, stops=frozenset(base.stops), max_length=base.max_length)
    voice = Voice(engine, base.encoding, seal, SamplingParams(max_new_tokens=60))

    async def three() -> list[tuple[str, ...]]:
        await engine.start()
        found = [
            await voice.tweet(1),
            await voice.tweet(2),
            await voice.reply("group", (Turn("SOMEONE", ("hey, are you there?",)),), 3),
        ]
        await engine.close()
        return found

    texts = [" / ".join(lines) for lines in asyncio.run(three())]
    model.train()
    return texts


def _metrics(trained: Trained, untuned: Loss, tuned: Loss, rows: list[Window], seconds: float) -> dict[str, Any]:
    return {
        "bits_per_character_base": _rounded(untuned.bits_per_character) if untuned.tokens else None,
        "bits_per_character": _rounded(tuned.bits_per_character) if tuned.tokens else None,
        "perplexity_base": _rounded(untuned.perplexity) if untuned.tokens else None,
        "perplexity": _rounded(tuned.perplexity) if tuned.tokens else None,
        "held_out_characters": tuned.characters,
        "target_tokens": target_tokens(rows),
        "steps": trained.steps,
        "minutes": _rounded(seconds / 60),
        "tokens_per_second": _rounded(trained.tokens / max(trained.seconds, 1e-9)),
        "loss_history": [entry for entry in trained.history if "loss" in entry or "eval_bits_per_character" in entry],
    }


def _rounded(value: float) -> float:
    return round(value, 4) if math.isfinite(value) else value


def _refitted(settings: Settings, corpus: Corpus, trained: Trained, seal: Seal, folder: Path, bars: Bars) -> Seal:
    """The draft with an adapter that saw the held-out messages too, for as many epochs as the measured one was kept from.
    The figures stay those of the measured one; which conversations are no longer unseen is sealed."""
    bars.say("measured; now training again on everything, the held-out messages too")
    base = open_base(settings, corpus, bars)
    model = adapted(base.model, settings.train)
    speakers = target_speakers(settings, corpus)
    conversations = [stretch.conversation for stretch in corpus.conversations]
    rows = windows_of(base.encoding, conversations, speakers, base.max_length)
    again = train_adapter(
        model,
        rows,
        [],
        settings.train.model_copy(update={"epochs": _kept_epoch(trained, settings)}),
        rate=learning_rate(settings, base),
        fit=fitted(settings, model, rows),
        pad=base.encoding.end_of_turn,
        folder=folder / "work",
        callbacks=[],
        bars=bars,
        on_evaluate=_silent,
    )
    model = emphasised(settings, base, model, rows, corpus.conversations)
    shutil.rmtree(folder / "work")
    shutil.rmtree(folder / "base", ignore_errors=True)
    held_out = [stretch.id for stretch in corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT)]
    seal = seal.model_copy(
        update={
            "probe": find_probe(model, base.encoding, seal),
            "data": {**seal.data, "refit": True, "refit_on": held_out, "refit_steps": again.steps},
        }
    )
    return fill(folder, model, base, settings, trained, seal, corpus.conversations, bars)


def _kept_epoch(trained: Trained, settings: Settings) -> float:
    """After how many epochs the adapter was that is kept."""
    measured = [entry for entry in trained.history if "eval_loss" in entry]
    kept = min(measured, key=lambda entry: entry["eval_loss"], default=None)
    return max(0.05, kept["epoch"]) if kept else settings.train.epochs
