"""What an adapter is compared with knows as much as the adapter was shown."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, talks
from trainer.corpus.splits import TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.copying import training_grams
from trainer.evaluate.intervals import Numbers
from trainer.evaluate.model_sample import ModelSample
from trainer.evaluate.reference_set import reference_set

LEARNED, JUDGED = (talks({SPEAKER: ANNA, "BORIS": BORIS}, count, seed=count) for count in (200, 40))
CORPUS = Corpus(
    conversations=[*LEARNED, *JUDGED],
    splits={record.id: split for split, records in ((TRAIN, LEARNED), (TEST_SPLIT, JUDGED)) for record in records},
)


class Scores:
    """Finds everything equally likely, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def bits(self, asked: Sequence[Any], *, tuned: bool = True) -> Numbers:
        self.asked.append(len(asked))
        return np.ones((len(asked), 2))


def sample(
    *, limit: int = 0, base: str = "scratch", until: float = math.inf, scores: Scores | None = None, full: bool = False
) -> ModelSample:
    """Of an adapter that was shown so many messages, 0 for all, on such a base."""
    voice = small_voice(FakeEngine())
    sealed = voice.seal.base.model_copy(update={"model": base})
    seal = voice.seal.model_copy(update={"data": {"limit": limit}, "base": sealed})
    references = reference_set(
        JUDGED,
        SPEAKER,
        training_grams(turn.text for record in LEARNED for turn in record.conversation.turns),
        full=False,
    )
    scorer = cast(Any, scores or Scores())
    return ModelSample(CORPUS, replace(voice, seal=seal), references, (), scorer, full, until)


def test_losses_are_taken_of_as_many_messages_as_there_is_time_for() -> None:
    """Twenty at least, none twice where it is twenty, of the persona's alone if need be, and that it is fewer is said."""
    in_time, late = Scores(), Scores()
    unhurried = sample(scores=in_time)
    assert None not in (unhurried.membership(), unhurried.attribution())
    assert unhurried.hurried == ""
    assert max(in_time.asked) == 40
    hurried = sample(scores=late, until=0.0)
    assert hurried.bits_per_character() is not None
    assert (hurried.membership(), hurried.attribution()) == (None, None)
    assert late.asked == [20]
    assert hurried.hurried == (
        "losses are of 20 held-out messages instead of 40, and no losses are of training messages or other people's messages, "
        "in the time there was"
    )
    assert sample(scores=late, until=0.0, full=True).membership() is not None


def test_the_table_of_letters_learns_no_more_messages_than_the_adapter_did() -> None:
    """Of 500 messages it knows little, of all it knows much; an adapter trained on 500 is compared with the former."""
    real = [sample(limit=limit, base="SmolLM2-135M").bits_per_character_trivial() for limit in (0, 200, 20)]
    bits = [figure.value for figure in [*real, sample(limit=20).bits_per_character_trivial()] if figure]
    assert bits[0] == bits[1] < 0.8 * bits[2]
    assert bits[3] == bits[0]  # a grown base has read them all, whatever its adapter was shown


def test_a_pretrained_base_may_say_what_no_training_message_has() -> None:
    """Pairs of words that are new in the corpus show disorder only in a base that has read nothing else."""
    assert sample().new_pairs_shuffled() is not None
    assert sample(base="SmolLM2-135M").new_pairs_shuffled() is None
