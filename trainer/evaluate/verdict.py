"""The evaluation in plain words. Its headline is the worst of several figures: judges alone take shuffled words, and a
chain of copied phrases, for the person."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.figures import Row
from trainer.evaluate.generation import texts_of
from trainer.evaluate.intervals import Figure


class Grade(IntEnum):
    """How alike it is, the best first."""

    ALIKE = 0
    NEARLY = 1
    NOT_YET = 2
    GIBBERISH = 3


HEADLINES = {
    Grade.ALIKE: "like you",
    Grade.NEARLY: "much like you, but",
    Grade.NOT_YET: "not like you yet:",
    Grade.GIBBERISH: "gibberish:",
}
TOLD_APART = {Grade.NOT_YET: 0.85, Grade.NEARLY: 0.70}  # C2ST; the lower is calibration's bound
REPEATED = {Grade.NOT_YET: 0.15, Grade.NEARLY: 0.03}  # duplicates above twice the person's
UNVARIED = {Grade.NOT_YET: 0.75, Grade.NEARLY: 0.90}  # distinct-2 as a share of the person's
MISSHAPEN = {Grade.NOT_YET: 0.40, Grade.NEARLY: 0.25}  # shape above the person's own from one day to another
COPIED_PAIRS = 0.25  # of the person's new pairs; an imitation with fewer only puts copies together


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one figure says against it."""

    grade: Grade
    sentence: str


def verdict(evaluation: Evaluation) -> str:
    """Return the evaluation in a sentence: the worst that is to be said, and how alike it is if nothing is."""
    against = judgements(evaluation)
    if not against:
        return _likeness(evaluation) or _unmeasured(evaluation)
    worst = max(judgement.grade for judgement in against)
    reasons = [judgement.sentence for judgement in against if judgement.grade == worst]
    likeness = _likeness(evaluation) if worst == Grade.NEARLY else ""
    return "; ".join([f"{HEADLINES[worst]} {', and '.join(reasons[:2])}", *([likeness] if likeness else [])])


def _unmeasured(evaluation: Evaluation) -> str:
    if "human" not in evaluation.rows:
        return "too little was held out to say how alike it is"
    count = len(texts_of(evaluation.replies))
    return f"{count} replies are too few to say how alike it is; 'python -m trainer evaluate' takes longer, and asks for more"


def gibberish(evaluation: Evaluation) -> str:
    """Return why nobody should have to read it; "" if somebody could."""
    return next((it.sentence for it in judgements(evaluation) if it.grade == Grade.GIBBERISH), "")


def judgements(evaluation: Evaluation) -> list[Judgement]:
    """Return all that is to be said against it."""
    tuned, human = evaluation.rows.get("tuned"), evaluation.rows.get("human")
    found = list(_of_the_model(evaluation))
    if tuned and human:
        found += _of_the_order(evaluation, tuned, human)
        found += (judgement for judge in _TEXTS if (judgement := judge(tuned, human)))
    decisions = evaluation.decisions
    if decisions is not None and len(decisions.generated) and len(decisions.others):
        taken, others = decisions.generated.mean(), decisions.others.mean()
        if taken <= others:
            sentence = f"judges take it for you in {100 * taken:.0f} of 100 cases, another friend in {100 * others:.0f}"
            found.append(Judgement(Grade.NOT_YET, sentence))
    return found


def _of_the_model(evaluation: Evaluation) -> Iterator[Judgement]:
    figures = evaluation.figures
    ours, trivial = figures.get("bits_per_character"), figures.get("bits_per_character_trivial")
    if ours and trivial and ours.value >= trivial.value:
        yield Judgement(
            Grade.GIBBERISH,
            f"it knows your messages no better than a table of which letter follows which: {ours.value:.2f} bits a character "
            f"against {trivial.value:.2f}, where low is good",
        )


def _of_the_order(evaluation: Evaluation, tuned: Row, human: Row) -> Iterator[Judgement]:
    """Words in random order make pairs that nobody wrote; a chain of copied phrases makes none of its own."""
    ours, yours, mixed = tuned.get("new_pairs"), human.get("new_pairs"), evaluation.figures.get("new_pairs_shuffled")
    if not ours or not yours:
        return
    compared = f"{ours.value:.0%} of its pairs of words are new, {yours.value:.0%} of yours"
    if mixed and ours.value > (yours.value + mixed.value) / 2 and ours.low > yours.high:
        yield Judgement(Grade.GIBBERISH, f"its words stand in no order: {compared}, {mixed.value:.0%} if shuffled")
    if ours.value < COPIED_PAIRS * yours.value and ours.high < yours.low:
        yield Judgement(Grade.NOT_YET, f"it only puts copied phrases together: {compared}")


def _told_apart(tuned: Row, _human: Row) -> Judgement | None:
    area = tuned["two_sample"]
    grade = _grade(area.value, TOLD_APART) if area else Grade.ALIKE
    told = f"a classifier tells it from you in {100 * area.value:.0f} of 100 cases, where 50 is chance" if area else ""
    return Judgement(grade, told) if grade else None


def _repeated(tuned: Row, human: Row) -> Judgement | None:
    ours, yours = tuned["duplicates"], human["duplicates"]
    if not ours or not yours:
        return None
    grade = _grade(ours.value - 2 * yours.value, REPEATED)
    return (
        Judgement(grade, f"{ours.value:.0%} of what it says it has said before, {yours.value:.0%} of yours")
        if grade
        else None
    )


def _unvaried(tuned: Row, human: Row) -> Judgement | None:
    ours, yours = tuned["distinct_2"], human["distinct_2"]
    if not ours or not yours or not yours.value or ours.high >= yours.low:
        return None
    ratio = ours.value / yours.value
    grade = next((grade for grade, bound in UNVARIED.items() if ratio < bound), Grade.ALIKE)
    return Judgement(grade, f"its words are {ratio:.0%} as varied as yours") if grade else None


def _misshapen(tuned: Row, human: Row) -> Judgement | None:
    ours, yours = tuned["shape"], human["shape"]
    if not ours or not yours:
        return None
    grade = _grade(ours.value - yours.value, MISSHAPEN)
    what = "lengths, punctuation and capitals are not yours"
    return Judgement(grade, f"{what} (shape {ours.value:.2f}, where 0 is the same)") if grade else None


_TEXTS: tuple[Callable[[Row, Row], Judgement | None], ...] = (_told_apart, _repeated, _unvaried, _misshapen)


def _grade(value: float, bounds: dict[Grade, float]) -> Grade:
    """Return the worst grade whose bound is exceeded. bounds: the worst first."""
    return next((grade for grade, bound in bounds.items() if value > bound), Grade.ALIKE)


def _likeness(evaluation: Evaluation) -> str:
    """Return what judges say, or a classifier if there is nobody to compare with; "" if nothing was measured."""
    decisions = evaluation.decisions
    area: Figure | None = evaluation.rows["tuned"]["two_sample"] if "tuned" in evaluation.rows else None
    if decisions is not None and len(decisions.generated):
        parts = {"you yourself": decisions.real, "another friend": decisions.others}
        beside = ", ".join(f"{name} in {100 * hits.mean():.0f}" for name, hits in parts.items() if len(hits))
        return f"taken for you in {100 * decisions.generated.mean():.0f} of 100 judge decisions ({beside})"
    if area:
        return f"told from you in {100 * area.value:.0f} of 100 cases, where 50 is chance; there is nobody to compare you with"
    return ""
