"""The gate: a worse or leaking adapter replaces the current one only if that was asked for."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from engine.choose import open_voice_of, probed
from engine.voice import Voice
from persona.archive.index import Archive
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import UserError
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation, check_engine
from trainer.evaluate.generation import GeneratedReply, generate, texts_of
from trainer.evaluate.intervals import Figure, difference
from trainer.evaluate.reading_budget import FEWEST_REPLIES
from trainer.evaluate.reference_set import MIN_TEXTS
from trainer.evaluate.reply_context import (
    ReplyContext,
    evenly_spaced,
    reminded,
    reply_contexts,
    texts_by_speaker,
    unreminded,
)
from trainer.evaluate.two_sample import resampled_area
from trainer.evaluate.verdict import gibberish
from trainer.evaluate.voice_ratio import PersonaJudge, resampled_ratio
from trainer.loop.device_memory import free_memory

COPY_BOUND = 0.005  # above the human figure: half a point
MIN_BUNDLES = 10  # judged of each adapter; of fewer, chance decides which sounds more like the persona


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """reasons: against the new adapter, none if it may speak. notes: what could not be compared, and what is doubtful.
    differences: new less old, of figures that both have."""

    reasons: Sequence[str] = ()
    notes: Sequence[str] = ()
    differences: dict[str, Figure] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Return whether there is no reason against it."""
        return not self.reasons


def judge_bundle(
    settings: Settings,
    corpus: Corpus,
    new: Bundle,
    voice: Voice,
    old: Bundle | None,
    evaluation: Evaluation,
    until: float,
) -> GateVerdict:
    """Judge `new`, not yet sealed. voice: its own, unprobed. old: the current bundle, None if there is none: it is asked what the
    new one was, as far as neither was trained on it. until: on time.monotonic()'s clock, how long it may be asked."""
    salad = gibberish(evaluation)
    checks = (
        check_engine(probed(voice.engine, new, voice.encoding)),
        copy_violation(evaluation),
        salad and f"gibberish: {salad}",
    )
    own = [reason for reason in checks if reason]
    unchecked = "human" in evaluation.rows and "tuned" not in evaluation.rows
    notes = ["it says too little to tell whether it copies"] if unchecked else []
    if old is None:
        return GateVerdict(own, notes)
    compared = _comparison(settings, corpus, voice, old, evaluation, until, refit_conversations(new))
    return replace(compared, reasons=[*own, *compared.reasons], notes=[*notes, *compared.notes])


def _comparison(
    settings: Settings,
    corpus: Corpus,
    voice: Voice,
    old: Bundle,
    evaluation: Evaluation,
    until: float,
    trained_on: Collection[str],
) -> GateVerdict:
    """Return what speaks for the old adapter. trained_on: the held-out conversations that the new one was trained on."""
    unseen = [
        context
        for context in _held_out(corpus, settings, evaluation.turns)
        if context.conversation_id not in {*refit_conversations(old), *trained_on}
    ]
    if len(unseen) < MIN_TEXTS:
        few = f"{len(unseen)} messages that neither adapter was trained on are too few to compare them"
        return GateVerdict(notes=[few])
    answered = {unreminded(reply.context): reply for reply in evaluation.replies}
    asked = [context for context in unseen if context in answered]
    if len(asked) < MIN_TEXTS:
        asked = evenly_spaced(unseen, FEWEST_REPLIES)
    free_memory()
    try:
        old_replies = _replies(open_voice_of(settings, old), asked, evaluation.turns, until)
    except UserError as fault:
        return GateVerdict(notes=[f"the old adapter can't be asked ({fault}): nothing was compared"])
    asked = [unreminded(reply.context) for reply in old_replies]
    missing = [context for context in asked if context not in answered]
    more = _replies(voice, missing, evaluation.turns) if missing else []
    answered |= {unreminded(reply.context): reply for reply in more}
    new_replies = [answered[context] for context in asked]
    old_said, new_said = len(texts_of(old_replies)), len(texts_of(new_replies))
    if new_said < MIN_TEXTS and 2 * new_said < old_said:
        return GateVerdict([f"it has something to say on {new_said} of {len(asked)} contexts only"])
    if min(old_said, new_said) < MIN_TEXTS:
        said = (
            f"the old adapter has something to say on {old_said} of {len(asked)} messages and the new one on {new_said}"
        )
        return GateVerdict(notes=[f"{said}: too few to compare them"])
    differences = compare(asked, corpus, settings.persona.key, new_replies, old_replies)
    return GateVerdict(worse(differences), (), differences)


def _held_out(corpus: Corpus, settings: Settings, turns: int) -> list[ReplyContext]:
    contexts = reply_contexts(corpus.in_split(TEST_SPLIT), settings.persona.key)
    return [replace(context, before=context.before[-turns:]) for context in contexts]


def _replies(
    voice: Voice, contexts: Sequence[ReplyContext], turns: int, until: float = math.inf
) -> list[GeneratedReply]:
    """Return a voice's replies, each with what comes to its mind."""
    asked = reminded(contexts, voice.archive or Archive.empty(), voice.encoding, voice.seal, turns)
    return generate(voice, asked, until=until, at_least=FEWEST_REPLIES)


def unprobed(bundle: Bundle) -> Bundle:
    """Return the bundle without its probe: an adapter that is ignored fails the gate, not the training."""
    return Bundle(bundle.folder, bundle.seal.model_copy(update={"probe": None}))


def refit_conversations(bundle: Bundle) -> Collection[str]:
    """Return the held-out conversations that a refitted adapter was trained on."""
    return frozenset(bundle.seal.data.get("refit_on", ()))


def compare(
    asked: Sequence[ReplyContext],
    corpus: Corpus,
    persona: str,
    new: Sequence[GeneratedReply],
    old: Sequence[GeneratedReply],
) -> dict[str, Figure]:
    """Return voice ratio and C2ST in the same contexts, new less old, with the interval of the difference."""
    real, (new_texts, old_texts) = [context.text for context in asked], (texts_of(new), texts_of(old))
    count = min(len(new_texts), len(old_texts), len(real))
    new_texts, old_texts, real = new_texts[:count], old_texts[:count], real[:count]
    differences = {"two_sample": difference(resampled_area(real, new_texts), resampled_area(real, old_texts))}
    conversation_ids = {context.conversation_id for context in asked}
    part = [context for context in corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT) if context.id in conversation_ids]
    others = {
        name: texts for name, texts in texts_by_speaker(part).items() if name != persona and len(texts) >= MIN_TEXTS
    }
    if others:
        judge = PersonaJudge(real, others)
        made = (judge.decisions(new_texts), judge.decisions(old_texts))
        if min(len(decisions.generated) for decisions in made) >= MIN_BUNDLES:
            differences["voice_ratio"] = difference(*map(resampled_ratio, made))
    return differences


def worse(differences: dict[str, Figure]) -> list[str]:
    """Return a sentence for each figure that is worse beyond its interval."""
    sentences = []
    ratio, area = differences.get("voice_ratio"), differences["two_sample"]
    if ratio and ratio.high < 0:
        sentences.append(
            f"it sounds less like the persona than the one that speaks now: voice ratio {ratio.value:+.2f}"
        )
    if area.low > 0:
        sentences.append(f"it is easier to tell from the persona than the one that speaks now: C2ST {area.value:+.2f}")
    return sentences


def copy_violation(evaluation: Evaluation) -> str:
    """Return why the copy bound does not hold, "" if it does."""
    tuned, human = evaluation.rows.get("tuned"), evaluation.rows.get("human")
    if not tuned or not human or not (copies := tuned["copy8"]) or not (usual := human["copy8"]):
        return ""
    whole = tuned["full"]
    if copies.low > usual.value + COPY_BOUND or (whole and whole.value > 0):
        return f"it copies: {copies.value:.1%} of its words are runs of training messages, {usual.value:.1%} of the person's"
    return ""
