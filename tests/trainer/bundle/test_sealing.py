"""What a seal says of the messages behind an adapter."""

from collections import Counter

import pytest

from persona.bundle import Bundle, current
from persona.config import Settings, load
from tests.conftest import Home
from trainer.adapter.setup import learned_conversations, target_speakers
from trainer.base.loading import base_of
from trainer.bundle.model_card import model_card
from trainer.bundle.sealing import initial_seal, tweets_of
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.speaker_stats import left_out
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus, count_messages
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.report.report_page import page


@pytest.fixture(scope="module")
def settings(trained: Home) -> Settings:
    return load(trained.config)


@pytest.fixture(scope="module")
def corpus(settings: Settings) -> Corpus:
    return load_corpus(settings)


def test_a_trained_bundle_knows_how_often_its_tweets_come_alike(settings: Settings, corpus: Corpus) -> None:
    """Every tweet with words in it is counted once; without the table the bot couldn't hold its own to it."""
    data = current(settings.adapters).seal.data
    neighbours = Counter({int(near): tweets for near, tweets in data["tweet_neighbours"].items()})
    tweets = tweets_of(corpus.conversations, settings.persona.key)
    assert 0 < neighbours.total() <= len(tweets)
    assert neighbours[0] < neighbours.total(), "the sample's people say some things twice"


def test_a_seal_counts_what_the_adapter_learned_from(settings: Settings, corpus: Corpus) -> None:
    """The train split, or as much of it as a limit leaves; model card, report and stats say the same."""
    bundle = current(settings.adapters)
    me = settings.persona.key
    assert bundle.seal.data["messages"] == corpus.messages(me)
    limited = settings.model_copy(update={"train": settings.train.model_copy(update={"limit": 40})})
    seal = initial_seal(limited, corpus, base_of(bundle, limited), target_speakers(limited, corpus))
    assert 0 < seal.data["messages"] < 80 < corpus.messages(me)
    assert seal.data["tweet_neighbours"] == bundle.seal.data["tweet_neighbours"], "of all that they wrote"
    assert f"| messages trained on | {seal.data['messages']} |" in model_card(seal)
    assert any("the newest 40 messages" in line for line in left_out(limited, [], 0))
    report = page("Mara Voss", Bundle(bundle.folder, seal), corpus, Evaluation({}, {}))
    assert f"it learned from the newest {seal.data['messages']}," in report


def test_a_limit_keeps_the_newest_and_a_refit_learns_from_all(settings: Settings, corpus: Corpus) -> None:
    """Held-out messages too."""
    me = settings.persona.key
    refit = learned_conversations(settings, corpus, refit=True)
    assert count_messages(refit, me) == corpus.messages(me, (TRAIN, CALIBRATION_SPLIT, TEST_SPLIT))
    limited = settings.model_copy(update={"train": settings.train.model_copy(update={"limit": 40})})
    kept = learned_conversations(limited, corpus)
    left = [record for record in learned_conversations(settings, corpus) if record not in kept]
    assert min(map(_last, kept)) >= max(map(_last, left))


def _last(record: ConversationRecord) -> float:
    return max(filter(None, record.timestamps), default=0.0)
