"""A sweep tries values, goes on where it ended, and says which were best."""

import json
from pathlib import Path

from persona.config import load
from tests.conftest import Home, run_here, sample_settings
from tests.trainer import bases
from trainer.__main__ import app


def test_a_sweep_goes_on_and_names_the_best_values(trained: Home, tmp_path: Path) -> None:
    """Its trials are kept in a store; the second run adds to the first one's; plots are drawn."""
    home = Home(tmp_path)
    (home.folder / "corpus").symlink_to(trained.folder / "corpus")
    bases.save(home.folder / "base", bases.qwen3)
    home.settings(sample_settings('[base]\nmodel = "base"\n[train]\nepochs = 1\nlimit = 60\nrank = 4\n'))
    trials = []
    for _ in range(2):
        done = run_here(app, "python -m trainer", "sweep", "--minutes", "0.01", "--json", "--config", str(home.config))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        trials.append(found["trials"])
        assert set(found["chosen"]) == {"rank", "alpha", "learning_rate", "dropout", "epochs"}
        assert found["bits"] > 0
    assert 1 <= trials[0] < trials[1]
    adapters = load(home.config, {}).adapters
    assert (adapters / "sweep" / "optimization_history.png").stat().st_size > 1000
    assert not (adapters / "sweep" / "work").exists()
