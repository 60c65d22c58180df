"""Who writes in some exports: the list from which the user chooses."""

import json
from pathlib import Path

import pytest

from persona.errors import SettingsError
from trainer.init.answers import select_people
from trainer.init.writers import writers
from trainer.progress import Bars
from trainer.sources.registry import find


def export(folder: Path) -> Path:
    """Two people called Alex, who have ids, and one whom nobody is mistaken for."""
    rows = [
        {
            "id": number,
            "type": "message",
            "date": "2021-03-04T00:00:00",
            "date_unixtime": str(1_600_000_000 + 60 * number),
            "from": name,
            "from_id": f"user{sender}",
            "text": f"{number} words",
        }
        for number, (name, sender) in enumerate([("Alex", 11), ("Alex", 12), ("Bo", 13)] * 5)
    ]
    path = folder / "result.json"
    path.write_text(json.dumps({"name": "k", "type": "private_group", "id": 7, "messages": rows}), encoding="utf-8")
    return path


def test_people_of_one_name_are_listed_with_their_ids(tmp_path: Path) -> None:
    """So that what is chosen is one account, in the settings too."""
    listed = writers(list(find(export(tmp_path))), Bars(quiet=True))
    assert sorted(writer.calls for writer in listed) == [("Alex", "user11"), ("Alex", "user12"), ("Bo",)]
    with pytest.raises(SettingsError, match="2 people are called 'Alex'; choose by number"):
        select_people("Alex", listed)
    (chosen,) = select_people("user12", listed)
    assert chosen.calls == ("user12",)
