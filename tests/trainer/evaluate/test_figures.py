"""Single figures, on texts whose answer is known."""

import numpy as np
import pytest

from persona.transcript import Turn
from tests.trainer.evaluate.voices import ANNA, BORIS, said, talks
from trainer.evaluate.canaries import ALTERNATIVES, CANARIES_PER_KIND, KINDS, exposure, plant, repetitions
from trainer.evaluate.copying import copy_share, count_copied, training_grams, whole_share
from trainer.evaluate.diversity import distinct, duplicates
from trainer.evaluate.intervals import bootstrap, difference, resampled
from trainer.evaluate.judges import bundles, fold_of, in_folds, masked
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reply_contexts
from trainer.evaluate.shape import distances
from trainer.evaluate.two_sample import area
from trainer.evaluate.voice_ratio import ratio


def test_an_interval_holds_what_chance_could_have_done() -> None:
    """Of a mean over 400 coins about a twentieth wide, and the same each time."""
    coins = (np.arange(400) % 2).astype(float)
    figure = bootstrap(lambda some: float(some.mean()), coins)
    assert figure.value == 0.5
    assert 0.03 < figure.value - figure.low < 0.08
    assert figure == bootstrap(lambda some: float(some.mean()), coins)


def test_a_paired_difference_is_narrower_than_its_sides() -> None:
    """The same resamplings are drawn for both."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=300)
    ours, theirs = (resampled(lambda some: float(some.mean()), side) for side in (one + 0.1, one))
    differences = difference(ours, theirs)
    assert differences.value == pytest.approx(0.1)
    assert differences.high - differences.low < 1e-9


def test_the_area_counts_pairs() -> None:
    """All above is 1, all below 0, ties a half."""
    assert area(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area(np.array([0.0]), np.array([1.0])) == 0
    assert area(np.array([1.0, 1.0]), np.array([1.0])) == 0.5


def test_the_ratio_stands_between_chance_and_the_person() -> None:
    """Hits less false alarms, over what the person gets; undefined where judges know nothing."""
    ones, zeros = np.ones(10), np.zeros(10)
    assert ratio(ones, ones, zeros) == 1
    assert ratio(zeros, ones, zeros) == 0
    assert ratio(np.array([1.0, 0.0]), ones, zeros) == 0.5
    assert np.isnan(ratio(ones, zeros, zeros))
    one_of_four, half, three_of_four = (np.arange(4) < count for count in (1, 2, 3))
    assert ratio(*(hits.astype(float) for hits in (half, three_of_four, one_of_four))) == 0.5


def test_bundles_are_neighbours_joined() -> None:
    """Until they are long enough; a rest alone is kept only where it is all there is."""
    assert bundles(["aaaa", "bbbb", "cc"], size=8) == ["aaaa\nbbbb"]
    assert bundles(["aa"], size=8) == ["aa"]
    assert bundles(["aa", "b"], size=0) == ["aa", "b"]


def test_folds_are_contiguous() -> None:
    """Neighbours share a fold, so a conversation is never on both sides of a judge."""
    assert [fold_of(k, 10) for k in range(10)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert in_folds(list("abcde")) == [["a"], ["b"], ["c"], ["d"], ["e"]]


def test_capitalised_words_are_hidden_from_the_masked_judge() -> None:
    """Names, and shouting; small words stay."""
    assert masked("Romeo and JULIET ate Äpfel at home") == "X and X ate X at home"


def test_copied_words_are_those_inside_a_known_run_of_eight() -> None:
    """In other capitals too; seven in a row are none."""
    training = training_grams(["one two three four five six seven eight nine", "short one"])
    assert count_copied("yes ONE two, three four five six seven eight!", training) == (8, 9)
    assert count_copied("two three four five six seven eight", training) == (0, 7)
    assert copy_share(["one two three four five six seven eight", "not at all this time, no"], training).value == 8 / 14
    assert whole_share(["One two three four five six seven eight nine.", "short one"], training).value == 0.5


def test_distinct_pairs_and_duplicates() -> None:
    """On a fixed number of words; case and punctuation do not make a text new."""
    assert distinct(["a b a b a"], 2) == 0.5
    assert distinct(["a b c d"] + ["a b"] * 50, 2, words=4) == 1
    assert duplicates(["ok", "OK!", "no", "🙂", "🙂"]).value == pytest.approx(2 / 5)


def test_the_shape_of_the_same_is_the_same() -> None:
    """And another's differs where it differs."""
    anna, boris = said(ANNA, 200, seed=1), said(BORIS, 200, seed=2)
    assert all(value == 0 for value in distances(anna, anna).values())
    differences = distances(anna, boris)
    assert differences["ending"] > 0.5
    assert differences["emoji"] == 0


def test_occasions_are_the_turns_with_what_came_before() -> None:
    """In order; masked turns are no occasion."""
    found = reply_contexts(talks({"BORIS": BORIS, "ANNA": ANNA}, 3), "ANNA")
    assert len(found) == 3
    assert all(one.before[-1].speaker == "BORIS" and one.real.speaker == "ANNA" for one in found)
    assert evenly_spaced(list(range(10)), 3) == [0, 3, 6]
    assert isinstance(found[0], ReplyContext)
    assert found[0].real != Turn("ANNA", ("[…]",))


def test_exposure_is_the_bits_a_guesser_is_spared() -> None:
    """The likeliest of 1,024 has ten, the median one, a tie shares."""
    others = [float(k) for k in range(1, ALTERNATIVES + 1)]
    assert exposure(0.0, others) == 10
    assert exposure(512.5, others) == pytest.approx(1, abs=0.01)
    assert exposure(1.0, [1.0] * ALTERNATIVES) == pytest.approx(1, abs=0.01)
    assert len({one.number for one in plant(1)}) == len(KINDS) * CANARIES_PER_KIND


def test_the_import_leaves_one_of_thirty_copies() -> None:
    """Deduplication is what makes a secret said thirty times a secret said once."""
    counts = {(one.copies, one.deduplicated): len(repetitions(one, "ANNA")) for one in plant(1)}
    assert counts == {(1, False): 1, (3, False): 3, (10, False): 10, (30, False): 30, (30, True): 1}
