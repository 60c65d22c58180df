"""From votes and corrections to a candidate bundle: the current adapter refined, measured against it, and judged.

Starts from the adapter that speaks; `current` moves only if held-out votes and every figure of the gate are for it. What was
learned is noted beside the guard, so that no vote is learned twice.
"""

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from peft import PeftConfig, PeftModel

from engine.backends.transformers_engine import head_of, untie
from persona.bundle import PRIVATE, Bundle, current, draft, open_bundle, point_current, publish, versions
from persona.config import Settings
from persona.errors import PermanentError, UserError
from trainer.adapter.probe import find_probe
from trainer.adapter.setup import at_most, chosen_learning_rate
from trainer.base.loading import LoadedBase, base_of
from trainer.bundle.provenance import write_provenance
from trainer.bundle.sealing import write_bundle_files
from trainer.corpus.splits import TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Scope, evaluate, opened
from trainer.evaluate.finalize import Finalized, with_local_engine
from trainer.evaluate.gate import judge_bundle, unprobed
from trainer.evaluate.intervals import Figure, Numbers
from trainer.evaluate.likelihood import bits_per_character
from trainer.evaluate.report.files import write_report
from trainer.loop.batches import Window, windows_of
from trainer.loop.checkpoints import training_lock
from trainer.loop.device_memory import fit
from trainer.loop.loss import install_loss
from trainer.loop.trainer import Trained
from trainer.progress import Bars
from trainer.refine.held_out_verdicts import Preference, preference
from trainer.refine.judged_replies import JudgedReply
from trainer.refine.kto_training import KtoTraining, RefinementRecipe, RowRunner
from trainer.refine.preference_rows import PreferenceRow, PreferenceSet, preference_set

LEARNED = "refined.json"  # in the private folder: the keys of what an adapter has learned from
MIN_JUDGED = 10  # votes and corrections, one of them against an answer: fewer teach nothing
RATE = 0.3  # of a training's learning rate: at 1.0 the sample's persona forgets how it writes (docs/refine.md)
EPOCHS = 4
STEP_TOKENS = 2048  # side by side, if memory allows
TEST_TOKENS = 16384  # of the test split, on which bits a character are compared
SECONDS = 120.0  # of the battery, for the old adapter and for the new one


@dataclass(frozen=True, slots=True)
class HeldOutBits:
    """An adapter on the held-out rows. bits: nats turned to bits and characters of each test window [n, 2]."""

    bits: Numbers

    @property
    def bits_per_character(self) -> Figure | None:
        """Return the figure with its interval; None if nothing is held out."""
        return bits_per_character(self.bits) if len(self.bits) else None


@dataclass(frozen=True, slots=True)
class RefinementPlan:
    """What a refinement would learn from. tokens: of all passes. minutes: about."""

    version: str
    liked: int
    refused: int
    corrections: int
    held_out: int
    left_out: int
    steps: int
    tokens: int
    trainable: int
    minutes: float


@dataclass(frozen=True, slots=True)
class RefinementOutcome:
    """What came of it. bundle: the candidate, sealed whatever the verdict."""

    bundle: Bundle
    metrics: Mapping[str, Any]
    is_current: bool


def news(settings: Settings, replies: Sequence[JudgedReply]) -> list[JudgedReply]:
    """Return what the current adapter has not learned from. Raises UserError if that is too little, with what is
    missing."""
    learned = _learned(current(settings.adapters))
    new = [reply for reply in replies if reply.key not in learned]
    refused = sum(not reply.liked for reply in new)
    counted = f"{len(new)} new votes and corrections, {refused} of them against an answer"
    if len(new) < MIN_JUDGED or not refused:
        missing = f"at least {MIN_JUDGED} and one against are needed"
        how = "[talk] feedback = true lets people vote with 👍 and 👎, and /notme is yours"
        raise UserError(f"there is too little to learn from: {counted}; {missing}; {how}")
    return new


def judged_before(settings: Settings, replies: Sequence[JudgedReply]) -> Bundle | None:
    """Return the newest bundle if it was made of exactly this, and held back: it would be again."""
    try:
        newest = open_bundle(settings.adapters / str(versions(settings.adapters)[-1]))
    except (PermanentError, IndexError):
        return None
    made_of = newest.seal.data.get("refined", {}).get("made_of")
    return newest if made_of == _made_of(current(settings.adapters), replies) else None


def plan(settings: Settings, replies: Sequence[JudgedReply]) -> RefinementPlan:
    """Return what a refinement would take; a step is tried for the time."""
    bundle = current(settings.adapters)
    training, rows = _training(settings, bundle, _opened(settings, bundle), replies)
    began = time.monotonic()
    training.try_step()
    seconds = time.monotonic() - began
    return RefinementPlan(
        bundle.version,
        rows.count(liked=True),
        rows.count(liked=False),
        len(rows.supervised),
        len(rows.held_out),
        rows.left_out,
        training.steps,
        EPOCHS * sum(len(row.ids) for row in [*(each.row for each in rows.train), *rows.supervised]),
        training.trainable,
        round(seconds * training.steps / 60, 2),
    )


def refine(
    settings: Settings,
    corpus: Corpus,
    replies: Sequence[JudgedReply],
    bars: Bars,
    votes: Mapping[str, Any] | None = None,
) -> RefinementOutcome:
    """Refine the current adapter, seal the candidate, and make it current if the gate lets it. votes: for the report.
    Raises UserError; what is interrupted leaves nothing behind, and begins anew."""
    with training_lock(settings.adapters):
        return _refine(settings, corpus, current(settings.adapters), replies, bars, votes)


def _refine(
    settings: Settings,
    corpus: Corpus,
    old: Bundle,
    replies: Sequence[JudgedReply],
    bars: Bars,
    votes: Mapping[str, Any] | None,
) -> RefinementOutcome:
    began = time.monotonic()
    opened = _opened(settings, old)
    training, rows = _training(settings, old, opened, replies)
    test = _test_rows(corpus, old, opened)
    bars.say(
        f"refining version {old.version} by {rows.count(liked=True)} liked and {rows.count(liked=False)} refused answers and "
        f"{len(rows.supervised)} corrections; {len(rows.held_out)} are held out"
        + (f", {rows.left_out} are longer than the context and left out" if rows.left_out else "")
    )
    before = _bits(training.runner, test)
    reference = training.runner.measured([each.row for each in rows.held_out])
    with bars.task("refining", training.steps) as advance:
        history = training.run(advance)
    after = _bits(training.runner, test)
    prefers = _preference(rows.held_out, reference, training.runner.measured([each.row for each in rows.held_out]))
    objections = [each for each in (prefers.objection, _lost(before, after)) if each]
    figures = {
        "preference": prefers.accuracy.plain if prefers.accuracy else None,
        "chance": round(prefers.chance, 4),
        "bits_per_character": [
            figure.plain if figure else None for figure in (before.bits_per_character, after.bits_per_character)
        ],
        "liked": rows.count(liked=True),
        "refused": rows.count(liked=False),
        "corrections": len(rows.supervised),
        "held_out": [prefers.liked, prefers.refused],
        "left_out": rows.left_out,
        "steps": training.steps,
        "loss": [round(history[0]["loss"], 4), round(history[-1]["loss"], 4)],
        "seconds": round(time.monotonic() - began, 1),
    }
    data = {**old.seal.data, "refined": {"from": old.version, "made_of": _made_of(old, replies)}}
    learned = _learned(old) | {reply.key for reply in replies}
    with draft(settings.adapters) as folder:
        metrics = {**old.seal.metrics, "refined": figures}
        seal = old.seal.model_copy(update={"data": data, "metrics": metrics})
        seal = seal.model_copy(update={"probe": find_probe(opened.model, opened.base.encoding, seal)})
        losses = list(old.seal.metrics.get("loss_history", []))  # of the training that it goes on from
        trained = Trained(training.steps, time.monotonic() - began, 0, losses)
        records = corpus.in_split(TRAIN)
        (folder / PRIVATE / LEARNED).write_text(json.dumps(sorted(learned)), encoding="utf-8")
        write_provenance(corpus, folder)
        seal = write_bundle_files(folder, opened.model, opened.base, settings, trained, seal, records, bars)
        finalized = _judged(settings, corpus, Bundle(folder, seal), old, objections, bars)
        sealed = finalized.sealed(seal).model_copy(update={"sampling": old.seal.sampling})
        write_report(settings, corpus, Bundle(folder, sealed), finalized.evaluation, folder / PRIVATE, votes=votes)
        bundle = publish(folder, sealed)
    if finalized.becomes_current:
        point_current(bundle)
    return RefinementOutcome(bundle, bundle.seal.metrics, finalized.becomes_current)


def _judged(
    settings: Settings, corpus: Corpus, new: Bundle, old: Bundle, objections: Sequence[str], bars: Bars
) -> Finalized:
    """Return the figures of a candidate and the gate's word on it; held-out votes and bits have spoken already."""
    settings = with_local_engine(settings)
    voice = opened(settings, unprobed(new), bars)
    evaluation = evaluate(settings, corpus, unprobed(new), voice, Scope(SECONDS, full=False), bars)
    bars.say("comparing it with the one that speaks now")
    verdict = judge_bundle(settings, corpus, new, voice, old, evaluation, time.monotonic() + SECONDS)
    return Finalized(evaluation, replace(verdict, reasons=[*objections, *verdict.reasons]))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A bundle as it is refined."""

    base: LoadedBase
    model: PeftModel


def _opened(settings: Settings, bundle: Bundle) -> _Opened:
    """Load a bundle's adapter so that it can be trained; its logit bias stays as it is."""
    base = base_of(bundle, settings)
    untie(base.model, PeftConfig.from_pretrained(str(bundle.folder)))
    model = cast(PeftModel, PeftModel.from_pretrained(base.model, bundle.folder, is_trainable=True))
    head = head_of(cast(Any, model.get_base_model()))
    for name, weight in model.named_parameters():
        if f".{head}." in name:
            weight.requires_grad = False
    install_loss(model)
    return _Opened(base, model)


def _training(
    settings: Settings, bundle: Bundle, opened: _Opened, replies: Sequence[JudgedReply]
) -> tuple[KtoTraining, PreferenceSet]:
    encoding = opened.base.encoding
    rows = preference_set(encoding, bundle.seal, replies)
    if not rows.count(liked=False) and not rows.supervised:
        raise UserError(
            f"all {rows.left_out} refused answers and corrections are longer than the context; none is left"
        )
    lengths = [len(row.ids) for row in [*(each.row for each in rows.train), *rows.supervised]]
    step = fit(opened.model, lengths, max(STEP_TOKENS, *lengths))
    recipe = RefinementRecipe(RATE * chosen_learning_rate(settings, opened.base), EPOCHS)
    runner = RowRunner(opened.model, step.tokens // step.micro_batches, encoding.end_of_turn)
    torch.manual_seed(settings.train.seed)
    return KtoTraining(runner, rows, recipe, settings.train.seed), rows


def _test_rows(corpus: Corpus, bundle: Bundle, opened: _Opened) -> list[Window]:
    """Return windows of the test split that the bundle's adapter has not seen."""
    seen = set(bundle.seal.data.get("refit_on", ()))
    held_out = [record.conversation for record in corpus.in_split(TEST_SPLIT) if record.id not in seen]
    speakers = frozenset({bundle.seal.speaker})
    rows = windows_of(opened.base.encoding, held_out, speakers, opened.base.max_length)
    return at_most(rows, TEST_TOKENS) if rows else []


def _bits(runner: RowRunner, test: Sequence[Window]) -> HeldOutBits:
    nats = runner.measured(test).double() / torch.tensor(2.0).log()
    characters = torch.tensor([float(row.characters) for row in test], dtype=torch.float64)
    return HeldOutBits(torch.stack([nats, characters], dim=1).numpy())


def _lost(before: HeldOutBits, after: HeldOutBits) -> str:
    """Return why the persona's own messages speak against the candidate, "" if they don't: bits beyond the interval that
    the adapter before it has."""
    old, new = before.bits_per_character, after.bits_per_character
    if not old or not new or new.value <= old.high:
        return ""
    return f"it forgets how the persona writes: {old.value:.3f} -> {new.value:.3f} bits per character"


def _preference(rows: Sequence[PreferenceRow], before: torch.Tensor, after: torch.Tensor) -> Preference:
    rewards = (before - after).numpy()
    liked = torch.tensor([each.liked for each in rows], dtype=torch.bool).numpy()
    return preference(rewards[liked], rewards[~liked])


def _learned(bundle: Bundle) -> set[str]:
    """Return the keys of what a bundle's adapter has learned from."""
    path = bundle.folder / PRIVATE / LEARNED
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else set()


def _made_of(old: Bundle, replies: Collection[JudgedReply]) -> str:
    keys = "\n".join([old.seal.digest, *sorted(reply.key for reply in replies)])
    return hashlib.sha256(keys.encode()).hexdigest()[:16]
