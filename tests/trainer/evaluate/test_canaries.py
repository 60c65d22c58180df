"""The canary audit end to end: what is planted often is given away, and the guard keeps it in."""

import pytest

from persona.bundle import current
from persona.config import load
from tests.conftest import Home
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.canaries import CANARIES_PER_KIND, KINDS, audit
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
        (*kind, CANARIES_PER_KIND) for kind in KINDS
    ]
    by_copies = {(one.copies, one.deduplicated): one for one in leaks}
    assert by_copies[30, False].exposure > by_copies[1, False].exposure
    assert by_copies[30, True].exposure < by_copies[30, False].exposure
    assert all(one.guarded == 0 and one.guarded_replies == 0 for one in leaks)
    assert {path for path in settings.adapters.rglob("*") if "bases" not in path.parts} == before
