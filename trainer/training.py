"""The way from a corpus to a current bundle: base, windows, LoRA, measure, seal."""

import asyncio
import hashlib
import itertools
import math
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import PeftModel
from torch.utils.tensorboard import SummaryWriter
from transformers.integrations import TensorBoardCallback

from bot.engine.transformers_engine import transformers_engine
from bot.engine.voice import Voice
from persona import guard
from persona.bundle import BaseModelSeal, Bundle, Seal, Speaker, draft, point_current, publish
from persona.config import Settings
from persona.fault import Fault
from persona.sampling import Sampling
from persona.transcript import Conversation, Turn
from trainer.base import Base, open_base
from trainer.batches import Window, windows_of
from trainer.card import model_card
from trainer.checkpoints import work_folder
from trainer.conversations import Stretch
from trainer.corpus import Corpus
from trainer.emphasis import token_weights
from trainer.evaluate.closing import close
from trainer.finetune import Trained, adapted, measure, target_tokens, train_adapter
from trainer.gguf_file import PRECISIONS, write_gguf
from trainer.heard import write_heard
from trainer.loss import Loss, emphasise
from trainer.plots import plot_losses
from trainer.probe import find_probe
from trainer.processes import world
from trainer.progress import Bars
from trainer.recipe import recipe
from trainer.sizing import Fit, fit
from trainer.split import JUDGE_A, JUDGE_B, TRAIN

FEWEST_MESSAGES = 50  # of the persona in the train part; with fewer there is nothing to learn a voice from
SCRATCH_RATE, RATE = 1e-3, 2e-4  # learning rates where nobody says: a small grown base wants the larger
EMPHASIS = 0.5  # of the persona's words in a grown base, which knows them by a header alone; see docs/likeness.md
TOKENS_PER_BATCH = 2048
SPEAKERS_SEALED = 200
TENSORBOARD = "tensorboard"  # its folder
YEAR_MESSAGES, YEAR_SHARE = 50, 0.05  # what makes a year one that the persona can sound like
LARGEST_GGUF = 2_000_000_000  # parameters; a larger merged model is written only when asked for


@dataclass(frozen=True, slots=True)
class Result:
    """What a training brought: the bundle and its figures. speaks: whether it became current."""

    bundle: Bundle
    metrics: Mapping[str, Any]
    speaks: bool


@dataclass(frozen=True, slots=True)
class Material:
    """What a training works on: the base with an untrained adapter on it, windows of the corpus's three parts, and how a
    step is run."""

    base: Base
    model: PeftModel
    rows: list[Window]
    judge_a: list[Window]
    judge_b: list[Window]
    fit: Fit


def train(settings: Settings, corpus: Corpus, bars: Bars, *, forced: bool = False) -> Result | None:
    """Train an adapter on the corpus, measure and seal it, and make it current unless it is worse than the one that is
    (forced: even then). Raises Fault; nothing is left behind then but checkpoints, from which the same training goes on.
    None in a process that only helped another."""
    began = time.monotonic()
    rank, _ = world()
    _require_enough(settings, corpus)  # before a base is grown for it
    material = prepare(settings, corpus, open_base(settings, corpus, bars))
    base, model, judge_b = material.base, material.model, material.judge_b
    untuned = measure(model, judge_b, material.fit.tokens, base.encoding.end_of_turn)
    work = work_folder(settings.adapters, _key(settings, corpus, base))
    seal = _seal(settings, corpus, base, target_speakers(settings, corpus))
    trained = _tuned(settings, material, seal, work, bars)
    if rank:
        return None
    with draft(settings.adapters) as folder:
        tuned = measure(model, judge_b, material.fit.tokens, base.encoding.end_of_turn)
        metrics = _metrics(trained, untuned, tuned, material.rows, time.monotonic() - began)
        seal = seal.model_copy(update={"metrics": metrics, "probe": find_probe(model, base.encoding, seal)})
        shutil.copytree(work / TENSORBOARD, folder / "private" / TENSORBOARD)
        _fill(folder, model, base, trained, seal)
        write_heard(corpus, folder)
        _add_guard(folder, corpus.part(TRAIN))
        seal = _with_gguf(folder, model, base, settings, seal, bars)
        spent = time.monotonic() - began
        closing = close(settings, corpus, Bundle(folder, seal), spent=spent, forced=forced, bars=bars)
        seal = closing.sealed(seal)
        bundle = publish(
            folder, _refitted(settings, corpus, trained, seal, folder, bars) if settings.train.refit else seal
        )
    if closing.moves:
        point_current(bundle)
    shutil.rmtree(work.parent, ignore_errors=True)
    return Result(bundle, bundle.seal.metrics, closing.moves)


def prepare(settings: Settings, corpus: Corpus, base: Base) -> Material:
    """What a training works on. Raises Fault where the corpus is too small."""
    _require_enough(settings, corpus)
    speakers = target_speakers(settings, corpus)
    rows, judge_a, judge_b = (_windows(settings, base, corpus, speakers, part) for part in ("train", "a", "b"))
    lengths = [len(row.ids) for row in rows]
    wanted = settings.train.tokens_per_batch
    tokens = max(TOKENS_PER_BATCH if wanted == "auto" else wanted, *lengths)
    model = adapted(base.model, settings.train)
    _emphasise(settings, base, model, rows, [stretch.conversation for stretch in corpus.part(TRAIN)])
    return Material(base, model, rows, judge_a, judge_b, fit(model, lengths, tokens, world()[1]))


def _emphasise(
    settings: Settings, base: Base, model: PeftModel, rows: Sequence[Window], heard: Sequence[Conversation]
) -> None:
    """Let the persona's own words count for more, where one persona is trained."""
    wanted = settings.train.emphasis
    strength = (EMPHASIS if base.grown else 0.0) if wanted == "auto" else wanted
    if strength and settings.train.loss_on == "persona":
        said = [i for row in rows for i, target in zip(row.ids, row.targets, strict=True) if target]
        everybody = (i for one in base.encoding.conversations(heard, ()) for i in one.ids)
        logits = int(base.model.config.vocab_size)  # more than the tokenizer knows, where a base pads them
        emphasise(model, token_weights(said, everybody, logits, base.encoding.end_of_turn, strength))


def _key(settings: Settings, corpus: Corpus, base: Base) -> str:
    """The name of this very training: what it goes on from must have been made of the same."""
    made_of = "\n".join((recipe(settings), corpus.fingerprint, base.seal.weights, base.seal.revision))
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def target_speakers(settings: Settings, corpus: Corpus) -> frozenset[str]:
    """Whose turns carry loss: the persona's, or everybody's who consented."""
    everyone = {person.key for person in corpus.people.values() if person.consent}
    return frozenset(everyone if settings.train.loss_on == "everyone" else {settings.persona.key})


def _require_enough(settings: Settings, corpus: Corpus) -> None:
    there = corpus.messages(settings.persona.key)
    if there < FEWEST_MESSAGES:
        raise Fault(
            f"the corpus has {there} messages by {settings.persona.name} to train on, at least {FEWEST_MESSAGES} are needed; "
            "import more exports, or add other names of that person to [persona] aliases"
        )


def _windows(settings: Settings, base: Base, corpus: Corpus, speakers: frozenset[str], part: str) -> list[Window]:
    found = corpus.part(part)
    if part == "train" and settings.train.limit:
        found = newest(found, speakers, settings.train.limit)
    return windows_of(base.encoding, [stretch.conversation for stretch in found], speakers, base.max_length)


def newest(found: Sequence[Stretch], speakers: frozenset[str], limit: int) -> list[Stretch]:
    """The latest conversations that together hold `limit` messages of these speakers."""
    kept: list[Stretch] = []
    count = 0
    for stretch in sorted(
        found, key=lambda one: max((at for at in one.ats if at is not None), default=0.0), reverse=True
    ):
        if count >= limit:
            break
        kept.append(stretch)
        count += sum(len(turn.lines) for turn in stretch.conversation.turns if turn.speaker in speakers)
    return kept


def learning_rate(settings: Settings, base: Base) -> float:
    """The chosen rate, or what suits this kind of base."""
    wanted = settings.train.learning_rate
    return (SCRATCH_RATE if base.grown else RATE) if wanted == "auto" else wanted


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
    voice = Voice(engine, base.encoding, seal, Sampling(max_new_tokens=60))

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


def _seal(settings: Settings, corpus: Corpus, base: Base, speakers: frozenset[str]) -> Seal:
    me = settings.persona.key
    heard = Counter(turn.speaker for stretch in corpus.found for turn in stretch.conversation.turns)
    names = {person.key: person.name for person in corpus.people.values()}
    scenes = Counter(
        stretch.conversation.scene
        for stretch in corpus.found
        if any(turn.speaker == me for turn in stretch.conversation.turns)
    )
    return Seal(
        speaker=me,
        speakers={
            key: Speaker(name=names.get(key, key.title()), tuned=key in speakers)
            for key, _ in heard.most_common(SPEAKERS_SEALED)
        }
        | {me: Speaker(name=settings.persona.name, tuned=True)},
        turn_taking=turn_taking([stretch.conversation for stretch in corpus.part("train")], me),
        end_of_turn=base.encoding.end_of_turn,
        stops=base.stops,
        bos=base.encoding.bos,
        max_length=base.max_length,
        year=latest_year(corpus.found, me),
        base=BaseModelSeal.model_validate(base.seal.model_dump()),
        data={
            "fingerprint": corpus.fingerprint,
            "recipe": recipe(settings),
            "messages": corpus.messages(me),
            "scenes": dict(scenes.most_common()),
            "regions": list(corpus.regions),
        },
    )


def latest_year(found: Sequence[Stretch], speaker: str) -> int | None:
    """The newest year with enough of `speaker`'s messages to sound like it: 50, or 5% of them. A handful with a wrong
    clock is no era."""
    said: Counter[int] = Counter()
    for stretch in found:
        if year := stretch.conversation.year:
            said[year] += sum(len(turn.lines) for turn in stretch.conversation.turns if turn.speaker == speaker)
    enough = [year for year, count in said.items() if count >= min(YEAR_MESSAGES, YEAR_SHARE * said.total())]
    return max((year for year in enough if said[year]), default=None)


def turn_taking(conversations: Sequence[Conversation], persona: str, most: int = 12) -> dict[str, dict[str, float]]:
    """How often each of the most talkative speakers follows each: rows sum to one. From group scenes alone; "" is the
    start of a conversation."""
    groups = [one for one in conversations if one.scene == "group"]
    talk = Counter(turn.speaker for one in groups for turn in one.turns)
    kept = {speaker for speaker, _ in talk.most_common(most)} | ({persona} & talk.keys())
    follows: dict[str, Counter[str]] = {}
    for one in groups:
        speakers = ["", *(turn.speaker for turn in one.turns if turn.speaker in kept)]
        for before, after in itertools.pairwise(speakers):
            if before != after:
                follows.setdefault(before, Counter())[after] += 1
    return {
        before: {after: round(count / counts.total(), 4) for after, count in counts.most_common()}
        for before, counts in follows.items()
    }


def _fill(folder: Path, model: PeftModel, base: Base, trained: Trained, seal: Seal) -> None:
    """Everything the seal then covers."""
    model.peft_config["default"].base_model_name_or_path = base.seal.model  # no path of this machine goes into a bundle
    model.save_pretrained(str(folder), save_embedding_layers=False)
    base.tokenizer.save_pretrained(str(folder))
    if base.grown and base.folder:
        shutil.copytree(base.folder, folder / "base")
    plot_losses(trained.history, folder / "private" / "loss.png")
    (folder / "README.md").write_text(model_card(seal), encoding="utf-8")


def _refitted(settings: Settings, corpus: Corpus, trained: Trained, seal: Seal, folder: Path, bars: Bars) -> Seal:
    """The draft with an adapter that saw the held-out messages too, for as many epochs as the measured one was best at.
    The figures stay those of the measured one; which conversations are no longer unseen is sealed."""
    bars.say("measured; now training again on everything, the held-out messages too")
    base = open_base(settings, corpus, bars)
    model = adapted(base.model, settings.train)
    speakers = target_speakers(settings, corpus)
    conversations = [stretch.conversation for stretch in corpus.found]
    rows = windows_of(base.encoding, conversations, speakers, base.max_length)
    _emphasise(settings, base, model, rows, conversations)
    again = train_adapter(
        model,
        rows,
        [],
        settings.train.model_copy(update={"epochs": _best_epoch(trained, settings)}),
        rate=learning_rate(settings, base),
        fit=fit(model, [len(row.ids) for row in rows], max(TOKENS_PER_BATCH, *(len(row.ids) for row in rows))),
        pad=base.encoding.end_of_turn,
        folder=folder / "work",
        callbacks=[],
        bars=bars,
        on_evaluate=_silent,
    )
    shutil.rmtree(folder / "work")
    shutil.rmtree(folder / "base", ignore_errors=True)
    held_out = [stretch.id for stretch in corpus.part(JUDGE_A, JUDGE_B)]
    seal = seal.model_copy(
        update={
            "probe": find_probe(model, base.encoding, seal),
            "data": {**seal.data, "refit": True, "refit_on": held_out, "refit_steps": again.steps},
        }
    )
    _fill(folder, model, base, trained, seal)
    _add_guard(folder, corpus.found)
    return _with_gguf(folder, model, base, settings, seal, bars)


def _best_epoch(trained: Trained, settings: Settings) -> float:
    """After how many epochs the held-out loss was lowest."""
    measured = [entry for entry in trained.history if "eval_bits_per_character" in entry]
    best = min(measured, key=lambda entry: entry["eval_bits_per_character"], default=None)
    return max(0.05, best["epoch"]) if best else settings.train.epochs


def _add_guard(folder: Path, stretches: Sequence[Stretch]) -> None:
    """What must not be repeated: everybody's messages, since a grown base learned from all of them."""
    said = (turn.text for stretch in stretches for turn in stretch.conversation.turns)
    guard.build(said, secrets.token_bytes(guard.KEY_BYTES)).save(folder / "private" / guard.FILE)


def _with_gguf(folder: Path, model: PeftModel, base: Base, settings: Settings, seal: Seal, bars: Bars) -> Seal:
    """The seal of the draft once the merged model is in it, where it can be. Merging is the model's end."""
    return seal.model_copy(update={"precision": _add_gguf(folder, model, base, settings, bars)})


def _add_gguf(folder: Path, model: PeftModel, base: Base, settings: Settings, bars: Bars) -> str:
    """The merged model for engines without torch, where its shape and size allow, and its precision; "" where there is
    none. Merging is the model's end."""
    wanted = settings.engine.precision
    precision = wanted if wanted in PRECISIONS else "f16"
    if model.num_parameters() > LARGEST_GGUF:
        bars.say("the base is large: run 'python -m trainer export --gguf' where a CPU is to run it")
        return ""
    try:
        write_gguf(model.merge_and_unload(), base.encoding, folder / "model.gguf", precision)
    except Fault as reason:
        (folder / "model.gguf").unlink(missing_ok=True)
        bars.say(f"no model.gguf: {reason}")
        return ""
    return precision
