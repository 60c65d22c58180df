"""Whether there is something new to train on."""

import shutil
from pathlib import Path

import pytest

from persona.bundle import current, draft, is_current, publish
from persona.config import load
from persona.errors import PermanentError
from tests.conftest import Home, run_here
from trainer.__main__ import app
from trainer.bundle.config_hash import config_hash, trained_bundle
from trainer.corpus.store import load as load_corpus


def test_what_the_gate_held_back_is_not_trained_again_every_night(trained: Home, tmp_path: Path) -> None:
    """Other settings make it new; once they were tried, nothing is, whichever adapter speaks."""
    shutil.copytree(trained.folder / "adapters", tmp_path / "adapters", symlinks=True)
    (tmp_path / "corpus").symlink_to(trained.folder / "corpus")
    home = Home(tmp_path).settings(trained.config.read_text())
    settings = load(home.config)
    corpus = load_corpus(settings)
    assert trained_bundle(settings, corpus)
    changed = load(home.settings(trained.config.read_text().replace("rank = 8", "rank = 4")).config)
    assert not trained_bundle(changed, corpus)
    speaks = current(settings.adapters)
    with draft(settings.adapters) as folder:
        data = {**speaks.seal.data, "recipe": config_hash(changed)}
        publish(folder, speaks.seal.model_copy(update={"data": data}))
    assert current(settings.adapters).version == speaks.version
    newest = trained_bundle(changed, corpus)
    assert newest
    assert not is_current(newest)
    again = run_here(app, "python -m trainer", "train", "--if-changed", "--config", str(home.config))
    assert "is held back: 'python -m trainer train --force' lets it speak" in again.stdout
    (settings.adapters / "current").unlink()
    with pytest.raises(PermanentError, match="what was trained is held back"):
        current(settings.adapters)
    forced = run_here(app, "python -m trainer", "train", "--force", "--config", str(home.config))
    assert (forced.returncode, "is current" in forced.stdout) == (0, True)
    assert current(settings.adapters).version == newest.version
