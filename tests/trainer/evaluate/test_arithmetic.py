"""The arithmetic of likeness with numbers that can be checked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from persona.sampling import SamplingParams
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.evaluate.calibration import Trial
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.gate import GateVerdict, copy_violation, worse
from trainer.evaluate.intervals import Figure, bootstrap, difference
from trainer.evaluate.judges import Judges, in_folds, out_of_fold_scores
from trainer.evaluate.likelihood import attribution, membership

INSIDE = Trial(SamplingParams(), 100, voice_ratio=0.8, two_sample=0.6, distinct=1.0, length=1.0)


def bits(*rates: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Texts of ten characters with these bits a character."""
    return np.array([[10 * rate, 10] for rate in rates])


def test_membership_is_above_half_if_training_messages_are_likelier() -> None:
    """1 where each training message is likelier than each held-out one, 0 the other way round."""
    likely, unlikely = bits(1.0, 1.1, 1.2), bits(2.0, 2.1, 2.2)
    assert membership(likely, unlikely).value == 1
    assert membership(unlikely, likely).value == 0


def test_attribution_is_above_half_if_the_persona_gains_more() -> None:
    """mine: from 3 bits to 1; theirs: from 3 to 2.5."""
    mine, theirs = (bits(3, 3), bits(1, 1)), (bits(3, 3), bits(2.5, 2.5))
    assert attribution(mine, theirs).value == 1
    assert attribution(theirs, mine).value == 0


def test_intervals_hold_ninety_five_percent() -> None:
    """The mean of 400 numbers of variance 1: 1.96 standard errors to each side, not 1.64."""
    numbers = np.random.default_rng(5).standard_normal(400)
    figure = bootstrap(lambda some: float(some.mean()), (numbers - numbers.mean()) / numbers.std(), times=20_000)
    assert (figure.high - figure.low) / 2 == pytest.approx(1.96 / 20, rel=0.05)


def test_a_difference_is_ours_less_theirs() -> None:
    """Pair by pair."""
    assert difference(np.array([3.0, 4.0]), np.array([1.0, 1.0])).value == 2.5


def test_a_judge_does_not_know_what_it_judges() -> None:
    """Rows without anything in common: whoever saw them knows each, whoever did not is left with a guess."""
    labels = np.array([0, 1] * 20)
    scores = out_of_fold_scores(csr_matrix(np.eye(40)), labels, np.arange(40) // 8)
    assert float(np.abs(scores).max()) < 0.5


def test_a_judge_of_speakers_has_not_read_the_fold_that_it_judges() -> None:
    """Texts that share no sign: whoever read them names each right, whoever did not says the same of all."""
    texts = ["".join(chr(0x4E00 + 3 * place + sign) for sign in range(3)) for place in range(40)]
    by_label = {"a": in_folds(texts[:20]), "b": in_folds(texts[20:])}
    judges = Judges(by_label)
    right = [judges.predictions(folds) == label for label, folds in by_label.items()]
    assert np.concatenate(right).mean() == pytest.approx(0.5, abs=0.15)


def test_trials_inside_the_bounds_come_first_and_then_the_more_alike() -> None:
    """Too little variety leaves the bounds as too much does."""
    dull, wild = replace(INSIDE, distinct=0.8, voice_ratio=1.1), replace(INSIDE, distinct=1.2, voice_ratio=1.1)
    better = replace(INSIDE, voice_ratio=0.9)
    assert sorted([dull, wild, INSIDE, better], key=lambda trial: trial.rank)[:2] == [better, INSIDE]
    assert dull.violation == pytest.approx(wild.violation)


def figures(copied: float, whole: float = 0.0) -> dict[str, Figure | None]:
    return {"copy8": Figure(copied, copied, copied), "full": Figure(whole, whole, whole)}


@pytest.mark.parametrize(
    ("tuned", "human", "passes"),
    [
        (figures(0.014), figures(0.01), True),
        (figures(0.016), figures(0.01), False),
        (figures(0.0), figures(0.0), True),
        (figures(0.0, whole=0.01), figures(0.0), False),
    ],
)
def test_half_a_point_more_than_the_person_is_copying(
    tuned: dict[str, Figure | None], human: dict[str, Figure | None], passes: bool
) -> None:
    """And so is a single training message, word for word."""
    evaluation = Evaluation(rows={"tuned": tuned, "human": human})
    assert (copy_violation(evaluation) == "") is passes


def test_worse_is_less_alike_or_easier_to_tell() -> None:
    """Beyond the interval; the other way round is no reason."""
    down, up = Figure(-0.3, -0.4, -0.2), Figure(0.3, 0.2, 0.4)
    assert len(worse({"voice_ratio": down, "two_sample": up})) == 2
    assert worse({"voice_ratio": up, "two_sample": down}) == []
    assert not GateVerdict(["it copies"]).passes


def test_the_splits_are_called_on_disk_as_they_were() -> None:
    """Corpora that were held out by an older version are read by this one."""
    assert (TRAIN, CALIBRATION_SPLIT, TEST_SPLIT) == ("train", "a", "b")
