"""Whether there is something new to train on."""

import shutil
from pathlib import Path

from persona.bundle import current, draft, publish
from persona.config import load
from tests.conftest import Home
from trainer.bundle.config_hash import config_hash, is_trained
from trainer.corpus.store import load as load_corpus


def test_what_the_gate_held_back_is_not_trained_again_every_night(trained: Home, tmp_path: Path) -> None:
    """Other settings make it new; once they were tried, nothing is, whichever adapter speaks."""
    shutil.copytree(trained.folder / "adapters", tmp_path / "adapters", symlinks=True)
    (tmp_path / "corpus").symlink_to(trained.folder / "corpus")
    home = Home(tmp_path).settings(trained.config.read_text())
    settings = load(home.config)
    corpus = load_corpus(settings)
    assert is_trained(settings, corpus)
    changed = load(home.settings(trained.config.read_text().replace("rank = 8", "rank = 4")).config)
    assert not is_trained(changed, corpus)
    speaks = current(settings.adapters)
    with draft(settings.adapters) as folder:
        data = {**speaks.seal.data, "recipe": config_hash(changed)}
        publish(folder, speaks.seal.model_copy(update={"data": data}))
    assert current(settings.adapters).version == speaks.version
    assert is_trained(changed, corpus)
    (settings.adapters / "current").unlink()
    assert not is_trained(changed, corpus)
