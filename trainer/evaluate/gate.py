"""Whether a new adapter may take the place of the one that speaks: never a worse or a leaking one without being told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from engine.choose import open_voice_of
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import UserError
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import Evaluation, check_seam, said
from trainer.evaluate.intervals import Figure, difference
from trainer.evaluate.metrics import FEWEST
from trainer.evaluate.reply_context import Occasion, occasions, texts_by_speaker
from trainer.evaluate.speaking import Spoken, speak
from trainer.evaluate.two_sample import resampled_area
from trainer.evaluate.voice_ratio import Bench, resampled_ratio

COPY_BOUND = 0.005  # above the human figure: half a point


@dataclass(frozen=True, slots=True)
class Verdict:
    """reasons: what stands against the new adapter; none where it may speak. notes: what could not be compared, and what
    is doubtful. differences: new less old, where both were scored."""

    reasons: Sequence[str] = ()
    notes: Sequence[str] = ()
    differences: dict[str, Figure] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether nothing stands against it."""
        return not self.reasons


def judge_bundle(
    settings: Settings, corpus: Corpus, new: Bundle, old: Bundle | None, found: Evaluation, until: float
) -> Verdict:
    """The verdict on `new`, not yet sealed. old: the one that speaks now, None where none does: then it passes with its
    notes. until: on time.monotonic()'s clock, how long the old one may be asked."""
    own = [reason for reason in (check_seam(open_voice_of(settings, new)), _leaks(found)) if reason]
    if old is None:
        return Verdict(notes=own)
    unseen = [one for one in _held_out(corpus, settings) if one.stretch not in {*trained_on(old), *trained_on(new)}]
    try:
        earlier = speak(open_voice_of(settings, old), unseen, until=until) if len(unseen) >= FEWEST else []
    except UserError as fault:
        return Verdict(own, [f"the old adapter can't be asked ({fault}): nothing was compared"])
    if len(said(earlier)) < FEWEST:
        return Verdict(own, [f"{len(unseen)} messages that neither adapter was trained on are too few to compare them"])
    asked = unseen[: len(earlier)]
    answered = {one.occasion: one for one in found.spoken}
    later = [answered[one] for one in asked if one in answered] or speak(open_voice_of(settings, unprobed(new)), asked)
    if len(said(later)) < FEWEST:
        return Verdict([*own, f"it has something to say on {len(said(later))} of {len(asked)} occasions only"])
    apart = compare(asked, corpus, settings.persona.key, later, earlier)
    return Verdict([*own, *worse(apart)], (), apart)


def unprobed(bundle: Bundle) -> Bundle:
    """The bundle without its probe: an engine that ignores the adapter is a reason against it, not the end of a training."""
    return Bundle(bundle.folder, bundle.seal.model_copy(update={"probe": None}))


def trained_on(bundle: Bundle) -> Collection[str]:
    """The conversations that an adapter was trained on, as far as they are held out now."""
    return frozenset(bundle.seal.data.get("refit_on", ()))


def compare(
    asked: Sequence[Occasion], corpus: Corpus, persona: str, new: Sequence[Spoken], old: Sequence[Spoken]
) -> dict[str, Figure]:
    """Voice ratio and C2ST of both on the same occasions: new less old, with the interval of the difference."""
    real, (later, earlier) = [one.text for one in asked], (said(new), said(old))
    count = min(len(later), len(earlier), len(real))
    later, earlier, real = later[:count], earlier[:count], real[:count]
    apart = {"two_sample": difference(resampled_area(real, later), resampled_area(real, earlier))}
    stretches = {one.stretch for one in asked}
    part = [one for one in corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT) if one.id in stretches]
    others = {name: texts for name, texts in texts_by_speaker(part).items() if name != persona and len(texts) >= FEWEST}
    if others:
        bench = Bench(real, others)
        made = (bench.decisions(later), bench.decisions(earlier))
        apart["voice_ratio"] = difference(*map(resampled_ratio, made))
    return apart


def worse(apart: dict[str, Figure]) -> list[str]:
    """What is worse beyond its interval."""
    found = []
    ratio, area = apart.get("voice_ratio"), apart["two_sample"]
    if ratio and ratio.high < 0:
        found.append(f"it sounds less like the persona than the one that speaks now: voice ratio {ratio.value:+.2f}")
    if area.low > 0:
        found.append(f"it is easier to tell from the persona than the one that speaks now: C2ST {area.value:+.2f}")
    return found


def _held_out(corpus: Corpus, settings: Settings) -> list[Occasion]:
    return occasions(corpus.in_split(TEST_SPLIT), settings.persona.key)


def _leaks(found: Evaluation) -> str:
    """Why the copy bound does not hold, "" where it does."""
    tuned, human = found.rows.get("tuned"), found.rows.get("human")
    if not tuned or not human or not (copies := tuned["copy8"]) or not (usual := human["copy8"]):
        return ""
    whole = tuned["full"]
    if copies.low > usual.value + COPY_BOUND or (whole and whole.value > 0):
        return f"it copies: {copies.value:.1%} of its words are runs of training messages, {usual.value:.1%} of the person's"
    return ""
