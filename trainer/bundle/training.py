"""The way from a corpus to a current bundle: base, windows, LoRA, measure, seal."""

import asyncio
import contextlib
import hashlib
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import PeftModel
from torch.utils.tensorboard import SummaryWriter
from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback

from engine.backends.transformers_engine import transformers_engine
from engine.voice import Voice
from persona.archive.index import FILE
from persona.bundle import PRIVATE, Bundle, Seal, draft, point_current, publish
from persona.config import Settings
from persona.sampling import SamplingParams
from trainer.adapter.probe import find_probe
from trainer.adapter.setup import (
    TrainingSetup,
    build_setup,
    chosen_learning_rate,
    learned_conversations,
    require_enough,
    target_speakers,
    with_logit_bias,
)
from trainer.adapter.share import keep_share, scale_adapter
from trainer.base.loading import LoadedBase, open_base
from trainer.bundle.config_hash import config_hash
from trainer.bundle.provenance import write_provenance
from trainer.bundle.sealing import initial_seal, write_bundle_files
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus, count_messages
from trainer.evaluate.finalize import finalize
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reply_contexts
from trainer.loop.batches import Window
from trainer.loop.checkpoints import training_lock, work_folder
from trainer.loop.device_memory import free_memory
from trainer.loop.distributed import world
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import target_tokens, train_adapter
from trainer.loop.loss import Loss
from trainer.loop.trainer import Trained
from trainer.progress import Bars

MIN_TIMED = 20.0  # seconds of training; fewer, as where it was taken up near its end, tell no pace
SAMPLES, SHOWN_TOKENS = 3, 40  # texts shown at each evaluation, and tokens of each
PAST_ITS_BEST = (
    "that it rises is usual: a base that was grown here has read all other messages already, so there is little left to "
    "learn but the person's manner"
)
TENSORBOARD = "tensorboard"  # its folder


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """The outcome of a training: the bundle and its figures."""

    bundle: Bundle
    metrics: Mapping[str, Any]
    is_current: bool


def train(settings: Settings, corpus: Corpus, bars: Bars, *, forced: bool = False) -> TrainingOutcome | None:
    """Train an adapter on the corpus, measure and seal it, and make it current unless it is worse than the one that is
    (forced: even then). Raises UserError; it leaves nothing behind but checkpoints, from which the same training resumes.
    None in a process that only helped another."""
    rank, _ = world()
    require_enough(settings, corpus)  # before a base is pretrained for it
    with contextlib.nullcontext() if rank else training_lock(settings.adapters):
        return _train(settings, corpus, bars, rank, forced=forced)


def _train(settings: Settings, corpus: Corpus, bars: Bars, rank: int, *, forced: bool) -> TrainingOutcome | None:
    began = time.monotonic()
    base = open_base(settings, corpus, bars)
    work = work_folder(settings.adapters, _key(settings, corpus, base))
    with draft(settings.adapters) as folder:
        trained, seal = _train_into(folder, settings, corpus, base, work, began, bars)
        if rank:
            return None
        del base  # what was trained makes room for what speaks: the evaluation loads the bundle as the bot will
        free_memory()
        spent = time.monotonic() - began
        pace = trained.tokens / trained.seconds / world()[1] if trained.seconds > MIN_TIMED else math.inf
        finalized = finalize(settings, corpus, Bundle(folder, seal), spent=spent, pace=pace, forced=forced, bars=bars)
        seal = finalized.sealed(seal)
        bundle = publish(
            folder, _refitted(settings, corpus, trained, seal, folder, bars) if settings.train.refit else seal
        )
    if finalized.becomes_current:
        point_current(bundle)
    shutil.rmtree(work.parent, ignore_errors=True)
    return TrainingOutcome(bundle, bundle.seal.metrics, finalized.becomes_current)


def _train_into(
    folder: Path, settings: Settings, corpus: Corpus, base: LoadedBase, work: Path, began: float, bars: Bars
) -> tuple[Trained, Seal]:
    """Train, and write the bundle's files into a folder; the first process does. began: on time.monotonic()'s clock."""
    setup = build_setup(settings, corpus, base, archive=folder / PRIVATE / FILE)
    test = setup.test
    untuned = measure_loss(setup.model, test, setup.fit.tokens, base.encoding.end_of_turn)
    seal = initial_seal(settings, corpus, base, target_speakers(settings, corpus))
    trained = _train_measured(settings, corpus, setup, seal, work, bars)
    if world()[0]:
        return trained, seal
    learned_from = corpus.in_split(TRAIN)
    model, share = _finished(settings, setup, trained, learned_from, bars)
    tuned = measure_loss(model, test, setup.fit.tokens, base.encoding.end_of_turn)
    metrics = _metrics(trained, untuned, tuned, setup.rows, time.monotonic() - began) | {"adapter_share": share}
    shutil.copytree(work / TENSORBOARD, folder / "private" / TENSORBOARD)
    write_provenance(corpus, folder)
    return trained, _add_files(folder, model, base, settings, trained, seal, learned_from, bars, metrics=metrics)


def _finished(
    settings: Settings,
    setup: TrainingSetup,
    trained: Trained,
    learned_from: Sequence[ConversationRecord],
    bars: Bars,
) -> tuple[PeftModel, float]:
    """Return the trained model with its logit bias, and how much of its adapter is kept. The bias is left whole: it makes the
    voice, and costs a hundredth of the bits."""
    budget, end = setup.fit.tokens // setup.fit.micro_batches, setup.base.encoding.end_of_turn
    share = keep_share(setup.model, setup.calibration, budget, end, trained.held_out)
    if share < 1:
        bars.say(
            f"{share:.3g} of the adapter's strength is used: with more, held-out messages would be harder to predict than by "
            "the base alone" + ", which has read all others already" * setup.base.from_scratch
        )
    return with_logit_bias(settings, setup.base, setup.model, setup.rows, learned_from), share


def _key(settings: Settings, corpus: Corpus, base: LoadedBase) -> str:
    """Return the name of this very training: a checkpoint must come from the same settings, corpus and base."""
    made_of = "\n".join((config_hash(settings), corpus.fingerprint, base.seal.weights, base.seal.revision))
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _train_measured(
    settings: Settings, corpus: Corpus, setup: TrainingSetup, seal: Seal, work: Path, bars: Bars
) -> Trained:
    """Train with samples and figures at each evaluation."""
    bars.say(
        f"training on {len(setup.rows) - setup.remembering:,} conversations"
        + (setup.remembering > 0) * f" and {setup.remembering:,} replies with memories"
        + f", {target_tokens(setup.rows):,} tokens of "
        f"{settings.persona.name}'s; {setup.held_out:,} held out"
        + (len(setup.calibration) < setup.held_out)
        * f", {len(setup.calibration):,} of which are watched on the way"
    )
    writer = SummaryWriter(str(work / TENSORBOARD))
    contexts = sample_contexts(corpus, settings.persona.key)

    best, shown, remark = math.inf, [""] * len(contexts), PAST_ITS_BEST if setup.base.from_scratch else ""

    def show(step: int, metrics: Mapping[str, float]) -> None:
        nonlocal best, shown, remark
        bits = metrics["eval_bits_per_character"]
        texts = _samples(setup.model, setup.base, seal, contexts)
        for line in evaluation_lines(step, bits, best, texts, shown, remark):
            bars.say(line)
        remark = "" if has_risen(bits, best) else remark  # once
        for number, text in enumerate(texts):
            writer.add_text(f"sample {number + 1}", text, step)
        best, shown = min(best, bits), texts

    on_evaluate = show if world()[0] == 0 else None
    callbacks = [TensorBoardCallback(writer)]
    trained = _train_adapter(settings, setup, work, bars, callbacks=callbacks, on_evaluate=on_evaluate)
    writer.close()
    return trained


def has_risen(bits: float, best: float) -> bool:
    """Return whether a figure is above the lowest one as both are printed."""
    return round(bits, 3) > round(best, 3)


def evaluation_lines(
    step: int, bits: float, best: float, texts: Sequence[str], shown: Sequence[str], remark: str = ""
) -> list[str]:
    """Return what an evaluation on the way prints: the figure, the lowest one if that is another, and the samples that
    changed. best: the lowest figure before. shown: the samples of the evaluation before. remark: stands below
    a figure that rose."""
    rose = has_risen(bits, best)
    lowest = f"; the best so far is {best:.3f}, and its adapter is kept" if rose else ""
    why = [f"  ({remark})"] if rose and remark else []
    new = [text for text, earlier in zip(texts, shown, strict=True) if text != earlier]
    says = "; it says:" if new else "; it says the same as before" if texts else ""
    return [f"step {step}: held-out {bits:.3f} bits per character{lowest}{says}", *(f"  {text}" for text in new), *why]


def _train_adapter(
    settings: Settings,
    setup: TrainingSetup,
    work: Path,
    bars: Bars,
    *,
    callbacks: Sequence[TrainerCallback] = (),
    on_evaluate: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Trained:
    return train_adapter(
        setup.model,
        setup.rows,
        setup.calibration,
        settings.train,
        learning_rate=chosen_learning_rate(settings, setup.base),
        fit=setup.fit,
        pad=setup.base.encoding.end_of_turn,
        folder=work,
        callbacks=callbacks,
        bars=bars,
        on_evaluate=on_evaluate,
    )


def _add_files(
    folder: Path,
    model: PeftModel,
    base: LoadedBase,
    settings: Settings,
    trained: Trained,
    seal: Seal,
    learned_from: Sequence[ConversationRecord],
    bars: Bars,
    **changes: Any,
) -> Seal:
    """Write the files of a trained model; return the seal with these changes and a probe."""
    seal = seal.model_copy(update={**changes, "probe": find_probe(model, base.encoding, seal)})
    return write_bundle_files(folder, model, base, settings, trained, seal, learned_from, bars)


def sample_contexts(corpus: Corpus, speaker: str) -> list[ReplyContext]:
    """Return the contexts of the texts shown while training: real held-out ones, with one tweet if there is a timeline."""
    held_out = reply_contexts(corpus.in_split(CALIBRATION_SPLIT), speaker) or reply_contexts(
        corpus.in_split(TRAIN), speaker
    )
    replies = [context for context in held_out if context.before]
    tweets = [context for context in held_out if context.scene == "timeline"]
    count = min(len(tweets), SAMPLES - min(SAMPLES - 1, len(replies)))
    return [*evenly_spaced(tweets, count), *evenly_spaced(replies, SAMPLES - count)]


def _samples(model: PeftModel, base: LoadedBase, seal: Seal, contexts: Sequence[ReplyContext]) -> list[str]:
    """Return a text from the adapter as it is now for each context."""
    model.eval()
    engine = transformers_engine(model, base.encoding, stops=frozenset(base.stops), max_length=base.max_length)
    voice = Voice(engine, base.encoding, seal, SamplingParams(max_new_tokens=SHOWN_TOKENS))

    async def sample() -> list[tuple[str, ...]]:
        await engine.start()
        replies = (
            voice.reply(context.scene, context.before, seed, quote=context.real.quote, year=context.year)
            for seed, context in enumerate(contexts, start=1)
        )
        texts = await asyncio.gather(*replies)
        await engine.close()
        return texts

    texts = [" / ".join(lines) for lines in asyncio.run(sample())]
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
    """Replace the draft's adapter by one trained on the held-out messages too, for as many epochs as the measured one.

    The figures stay those of the measured one; which conversations are no longer unseen is sealed."""
    bars.say("measured; now training again on everything, the held-out messages too")
    epochs = {"epochs": _best_epoch(trained, settings)}
    again = settings.model_copy(update={"train": settings.train.model_copy(update=epochs)})
    setup = build_setup(again, corpus, open_base(settings, corpus, bars), refit=True, archive=folder / PRIVATE / FILE)
    refit = _train_adapter(again, setup, folder / "work", bars)
    scale_adapter(setup.model, seal.metrics.get("adapter_share", 1.0))
    model = with_logit_bias(settings, setup.base, setup.model, setup.rows, corpus.conversations)
    shutil.rmtree(folder / "work")
    shutil.rmtree(folder / "base", ignore_errors=True)
    held_out = [record.id for record in corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT)]
    messages = count_messages(learned_conversations(settings, corpus, refit=True), seal.speaker)
    data = {
        **seal.data,
        "messages": messages,
        "refit": True,
        "refit_on": held_out,
        "refit_steps": refit.steps,
    }
    return _add_files(folder, model, setup.base, settings, trained, seal, corpus.conversations, bars, data=data)


def _best_epoch(trained: Trained, settings: Settings) -> float:
    """Return after how many epochs the held-out loss was lowest."""
    measured = [entry for entry in trained.history if "eval_loss" in entry]
    best = min(measured, key=lambda entry: entry["eval_loss"], default=None)
    return max(0.05, best["epoch"]) if best else settings.train.epochs
