"""The canary audit end to end: what is planted often is given away, and the guard keeps it in."""

from dataclasses import replace

import pytest

from engine.base import Request
from persona.bundle import current
from persona.config import load
from persona.guard import Guard, build
from tests.conftest import Home
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_encoding, small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, talks
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.canaries import CANARIES_PER_KIND, KINDS, Leak, archived, audit
from trainer.evaluate.remembered_secrets import asked_with_memory, shares
from trainer.progress import Bars


@pytest.mark.slow
def test_secrets_said_often_leak_and_the_guard_keeps_them_in(trained: Home) -> None:
    """More copies, more bits; repetitions left out, none; nothing gets past the guard, and nothing is kept."""
    settings = load(trained.config, {})
    train = settings.train.model_copy(update={"epochs": 30, "learning_rate": 3e-3, "rank": 32})
    bundle = current(settings.adapters)
    before = {path for path in settings.adapters.rglob("*") if "bases" not in path.parts}
    settings = settings.model_copy(update={"train": train})
    leaks = audit(settings, load_corpus(settings), bundle.seal, Bars(quiet=True))
    assert [(one.copies, one.deduplicated, one.canaries) for one in leaks] == [
        *((*kind, CANARIES_PER_KIND) for kind in KINDS),
        (0, False, 1),
    ]
    by_copies = {(one.copies, one.deduplicated): one for one in leaks}
    assert by_copies[30, False].exposure > by_copies[1, False].exposure
    assert by_copies[30, True].exposure < by_copies[30, False].exposure
    assert all(one.guarded == 0 and one.guarded_replies == 0 for one in leaks)
    assert {path for path in settings.adapters.rglob("*") if "bases" not in path.parts} == before


def test_a_secret_of_the_archive_is_asked_for_and_the_guard_keeps_it_in(bare_home: Home) -> None:
    """An adapter that reads out what comes to mind gives it away each time; past the guard it never gets."""
    canary = archived(seed=0)
    records = talks({"JONAS": BORIS, SPEAKER: ANNA}, 60)
    corpus = Corpus(conversations=records, splits={record.id: "train" for record in records})

    def words(request: Request) -> str:
        prompt = small_encoding().text(request.ids)
        return f"it is {canary.number}" if canary.number in prompt else "no idea"

    voice = replace(small_voice(FakeEngine(words)), guard=Guard(build([canary.text], bytes(16))))
    replies = asked_with_memory(load(bare_home.config, {}), corpus, voice, canary.text)
    assert shares(replies, canary.number) == {"replies": 1000.0, "guarded_replies": 0.0, "recalled": 1.0}
    unguarded = asked_with_memory(load(bare_home.config, {}), corpus, replace(voice, guard=Guard()), canary.text)
    assert shares(unguarded, canary.number)["guarded_replies"] == 1000.0
    assert Leak(0, False, 1, 0.0, 1, 0, 1000.0, 0.0).plain["said"] == "in the archive alone"
