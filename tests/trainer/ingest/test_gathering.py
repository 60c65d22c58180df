"""What exports hold as rows, whoever makes them."""

from dataclasses import asdict
from pathlib import Path

import pytest

from persona.config import Settings
from tests.trainer.sources.reading import FIXTURES
from trainer.ingest.gathering import gather
from trainer.people.identities import Identity
from trainer.progress import Bars
from trainer.sources.registry import find


@pytest.mark.parametrize("name", ["telegram", "x_2023"])
def test_a_process_beside_makes_the_same_rows_and_people(tmp_path: Path, name: str) -> None:
    """In the same order, with what could not be read; onto people who were known before."""
    settings = Settings.model_validate({"persona": {"name": "Ines"}, "data": {"dms": True}})
    exports = list(find(FIXTURES / name))
    results = []
    for beside_from in (0, 1 << 40):
        identities = {"telegram:user1": Identity("telegram:user1"), "x:9": Identity("x:9")}
        read = [
            (export.label, list(items))
            for export, items in gather(exports, settings, identities, tmp_path, Bars(quiet=True), beside_from)
        ]
        results.append((read, [asdict(identity) for identity in identities.values()]))
    assert results[0] == results[1]
    assert sum(len(items) for _, items in results[0][0]) > 4
    assert not list(tmp_path.iterdir())
