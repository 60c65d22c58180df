"""The verdict in a sentence, on texts that judges alone take for the person."""

import itertools
import time
from collections.abc import Sequence

import numpy as np
import pytest

from examples.make_sample import make
from persona.config import load
from tests.conftest import Home, sample_settings
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_voice
from trainer.corpus.splits import CALIBRATION_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate import markov
from trainer.evaluate.evaluation import Evaluation, EvaluationRun, Scope
from trainer.evaluate.figures import Row
from trainer.evaluate.generation import texts_of
from trainer.evaluate.intervals import Figure
from trainer.evaluate.reply_context import reply_contexts
from trainer.evaluate.trivial import LetterTable, shuffled
from trainer.evaluate.verdict import gibberish, verdict
from trainer.evaluate.voice_ratio import Decisions
from trainer.ingest.pipeline import import_exports
from trainer.progress import Bars


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A few thousand messages of the invented group."""
    folder = tmp_path_factory.mktemp("verdict")
    make(folder / "exports", seed=11, tweet_count=700, chat_count=2500)
    settings = load(Home(folder).settings(sample_settings()).config, {})
    return import_exports(settings, [folder / "exports"], fresh=True, bars=Bars(quiet=True)).corpus


def said(corpus: Corpus, split: str) -> list[str]:
    return [context.text for context in reply_contexts(corpus.in_split(split), SPEAKER)]


def measured(corpus: Corpus, texts: Sequence[str]) -> Evaluation:
    """The evaluation of a voice that says these texts, one after the other."""
    words = itertools.cycle(texts)
    voice = small_voice(FakeEngine(lambda _: next(words)))
    scope = Scope(120.0, full=False)
    began = time.monotonic()
    return EvaluationRun("Mara Voss", corpus, voice, lambda: None, scope, began, lambda *_: None).evaluation()


def test_the_person_on_another_day_is_like_themselves(corpus: Corpus) -> None:
    """Nothing is to be said against it."""
    sentence = verdict(measured(corpus, said(corpus, CALIBRATION_SPLIT)))
    assert sentence.startswith(("like you", "taken for you")), sentence
    assert "of 100 judge decisions" in sentence


def test_a_dozen_replies_are_no_praise(corpus: Corpus) -> None:
    """A slow model makes no more in the time it has, and judges like them; what else there is to say is not known."""
    evaluation = measured(corpus, [*said(corpus, CALIBRATION_SPLIT)[:12], *[""] * 100_000])
    assert 0 < len(texts_of(evaluation.replies)) < 20
    assert verdict(evaluation).startswith("12 replies are too few to say how alike it is; ")


def test_a_chain_of_copied_phrases_is_not_taken_for_the_person(corpus: Corpus) -> None:
    """Judges do, and C2ST can't tell; but it has not one pair of words of its own."""
    texts = [text for text in markov.sample_texts(markov.chain(said(corpus, TRAIN)), 400) if text]
    evaluation = measured(corpus, texts)
    assert evaluation.decisions is not None
    assert evaluation.decisions.generated.mean() > 0.8, "the fake is too weak for this test"
    sentence = verdict(evaluation)
    assert sentence.startswith("not like you yet: it only puts copied phrases together: 0% of its pairs"), sentence
    assert "taken for you" not in sentence


def test_ones_own_words_in_any_order_are_gibberish(corpus: Corpus) -> None:
    """Lengths, punctuation and words are the person's, and judges may well take it for them."""
    evaluation = measured(corpus, shuffled(said(corpus, CALIBRATION_SPLIT), seed=3))
    sentence = verdict(evaluation)
    assert sentence.startswith("gibberish: its words stand in no order"), sentence
    assert "taken for you" not in sentence
    assert gibberish(evaluation)


def exactly(value: float) -> Figure:
    return Figure(value, value, value)


def row(**values: float) -> Row:
    keys = ("two_sample", "distinct_2", "duplicates", "shape", "new_pairs")
    return {key: exactly(values[key]) if key in values else None for key in keys}


TAKEN = Decisions(np.ones(100), np.ones(100), np.zeros(100))


def test_bits_that_a_table_of_letters_reaches_are_gibberish() -> None:
    """Whatever the judges say: 100 of 100 were taken for the person at 2.29 bits."""
    bits = {"bits_per_character": exactly(2.29), "bits_per_character_trivial": exactly(2.19)}
    evaluation = Evaluation({"tuned": row(two_sample=0.6), "human": row()}, bits, TAKEN)
    assert verdict(evaluation) == (
        "gibberish: it knows your messages no better than a table of which letter follows which: 2.29 bits a character "
        "against 2.19, where low is good"
    )
    better = {**bits, "bits_per_character": exactly(1.4)}
    fine = Evaluation({"tuned": row(two_sample=0.6), "human": row()}, better, TAKEN)
    assert verdict(fine).startswith("taken for you in 100 of 100 judge decisions (you yourself in 100")


@pytest.mark.parametrize(
    ("tuned", "words"),
    [
        (
            {"two_sample": 0.93},
            "not like you yet: a classifier tells it from you in 93 of 100 cases, where 50 is chance",
        ),
        ({"two_sample": 0.74}, "much like you, but a classifier tells it"),
        ({"duplicates": 0.5}, "not like you yet: 50% of what it says it has said before, 4% of yours"),
        ({"distinct_2": 0.5}, "not like you yet: its words are 56% as varied as yours"),
        ({"shape": 0.6}, "not like you yet: lengths, punctuation and capitals are not yours (shape 0.60, where 0 is"),
        ({"two_sample": 0.74, "shape": 0.6}, "not like you yet: lengths, punctuation"),
    ],
)
def test_the_headline_is_the_worst_of_the_figures(tuned: dict[str, float], words: str) -> None:
    """With the figure and which way is good; the others don't soften it."""
    usual = {"two_sample": 0.55, "distinct_2": 0.9, "duplicates": 0.04, "shape": 0.05}
    rows = {"tuned": row(**{**usual, **tuned}), "human": row(**usual)}
    assert verdict(Evaluation(rows, {}, TAKEN)).startswith(words)


def test_who_is_no_more_the_person_than_a_friend_is_not_like_them() -> None:
    """Judges that take it for the person as often as they take anybody."""
    nobody = Decisions(np.zeros(50), np.ones(50), np.zeros(50))
    rows = {"tuned": row(two_sample=0.6), "human": row()}
    assert verdict(Evaluation(rows, {}, nobody)).startswith(
        "not like you yet: judges take it for you in 0 of 100 cases"
    )


def test_a_table_of_letters_knows_what_always_follows() -> None:
    """What it has read a hundred times costs next to nothing, what it never saw a lot."""
    table = LetterTable(["ababababab"] * 100)
    (known, new) = table.bits(["ababababab", "zzzzz"])
    assert known[0] / known[1] < 0.5
    assert new[0] / new[1] > 5
    assert (known[1], new[1]) == (10, 5)


def test_shuffling_takes_characters_where_there_are_no_blanks() -> None:
    """A Chinese sentence is one word to str.split."""
    (mixed,) = shuffled(["今天下雨了我没去"], seed=1)
    assert sorted(mixed) == sorted("今天下雨了我没去")
    assert mixed != "今天下雨了我没去"
    assert sorted(shuffled(["one two three"])[0].split()) == ["one", "three", "two"]
