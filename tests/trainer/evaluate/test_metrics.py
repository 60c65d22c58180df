"""The figures against the fakes that beat single figures: a copy-bot, a Markov chain, a shuffled human, another person."""

import random

import pytest

from tests.trainer.evaluate.voices import ANNA, BORIS, CLEO, said, talks
from trainer.evaluate import copying, markov
from trainer.evaluate.figures import Row, text_figures
from trainer.evaluate.reference_set import ReferenceSet, reference_set
from trainer.evaluate.voice_ratio import among_speakers

PEOPLE = {"ANNA": ANNA, "BORIS": BORIS, "CLEO": CLEO}
TRAINING = said(ANNA, 400, seed=1)


@pytest.fixture(scope="module")
def references() -> ReferenceSet:
    return reference_set(talks(PEOPLE, 150), "ANNA", copying.training_grams(TRAINING))


@pytest.fixture(scope="module")
def found(references: ReferenceSet) -> dict[str, Row]:
    """Rows of voices whose place is known."""
    rng = random.Random(0)
    words = " ".join(said(ANNA, 150, seed=4)).split()
    rng.shuffle(words)
    voices = {
        "human": said(ANNA, 150, seed=2),
        "other": said(BORIS, 150, seed=3),
        "copy": TRAINING[:150],
        "shuffled": [" ".join(words[k : k + 7]) for k in range(0, len(words) - 7, 7)][:150],
        "one": ["well, the cat sang again..."] * 150,
    }
    return text_figures(references, voices)


def value(row: Row, name: str) -> float:
    figure = row[name]
    assert figure is not None
    assert figure.low <= figure.value + 1e-9
    assert figure.value <= figure.high + 1e-9
    return figure.value


def test_the_person_is_taken_for_themselves_and_another_is_not(found: dict[str, Row]) -> None:
    """Voice ratio 1 and 0, however it is looked at."""
    for name in ("voice_ratio", "voice_ratio_masked", "voice_ratio_message"):
        assert value(found["human"], name) == pytest.approx(1, abs=0.1)
        assert value(found["other"], name) == pytest.approx(0, abs=0.1)


def test_nobody_tells_the_person_from_themselves(found: dict[str, Row]) -> None:
    """C2ST about .5 for other messages of the same person, near 1 for another's and for shuffled words."""
    assert value(found["human"], "two_sample") == pytest.approx(0.5, abs=0.12)
    assert value(found["other"], "two_sample") > 0.97
    assert value(found["shuffled"], "two_sample") > 0.85


def test_no_fake_passes_all_figures(found: dict[str, Row]) -> None:
    """The copy-bot sounds right and copies; one sentence said forever sounds right and repeats itself."""
    assert value(found["copy"], "voice_ratio") > 0.9
    assert value(found["copy"], "full") > 0.6
    assert value(found["human"], "full") < value(found["copy"], "full")
    assert value(found["one"], "duplicates") > 0.99
    assert value(found["one"], "distinct_2") < 0.2 * value(found["human"], "distinct_2")
    assert value(found["human"], "shape") < value(found["shuffled"], "shape") < value(found["other"], "shape")


def test_with_nobody_to_compare_there_is_no_voice_ratio() -> None:
    """One speaker only: C2ST and copying are told all the same."""
    alone = reference_set(talks({"ANNA": ANNA}, 60), "ANNA", copying.training_grams(TRAINING))
    found = text_figures(alone, {"human": said(ANNA, 60, seed=2)})["human"]
    assert found["voice_ratio"] is None
    assert found["two_sample"] is not None


def test_too_few_texts_are_told_nothing_of() -> None:
    """Instead of a figure that means nothing."""
    assert (
        text_figures(reference_set(talks(PEOPLE, 10), "ANNA", copying.training_grams([])), {"human": said(ANNA, 50)})
        == {}
    )


def test_several_generated_speakers_are_told_apart() -> None:
    """(AA_gen - 1/K) / (AA_real - 1/K): one when each sounds like themselves, below zero when they swap voices."""
    real = {name: said(manner, 120, seed=7) for name, manner in PEOPLE.items()}
    right = {name: said(manner, 60, seed=8) for name, manner in PEOPLE.items()}
    swapped = {"ANNA": right["BORIS"], "BORIS": right["CLEO"], "CLEO": right["ANNA"]}
    assert among_speakers(real, right).value == pytest.approx(1, abs=0.05)
    assert among_speakers(real, swapped).value < 0


def test_judges_believe_what_else_they_read() -> None:
    """Messages under the right names change nothing where speakers are clear; under wrong ones each is taken for another."""
    few = {name: said(manner, 5, seed=7) for name, manner in PEOPLE.items()}
    right = {name: said(manner, 60, seed=8) for name, manner in PEOPLE.items()}
    swapped = {"ANNA": right["BORIS"], "BORIS": right["CLEO"], "CLEO": right["ANNA"]}
    assert among_speakers(few, right, right).value == pytest.approx(1, abs=0.05)
    assert not among_speakers(few, right, swapped).value > 0  # below, or not a number


def test_a_markov_chain_says_what_follows_what() -> None:
    """Pairs of words from the texts, line breaks kept, Chinese without blanks; the same seed says the same."""
    chain = markov.chain(["the cat sat\non the mat", "the cat ran", "我喜欢饺子"])
    texts = markov.sample_texts(chain, 50, seed=1)
    assert texts == markov.sample_texts(chain, 50, seed=1)
    assert set(texts) == {"the cat sat\non the mat", "the cat ran", "我喜欢饺子"}
