"""Which adapter speaks, as the page shows and changes it."""

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.studio.bundles import choices, make_current, roll_back, versions_of
from bot.studio.report import report_of
from persona.bundle import current, draft, publish, read_seal
from persona.config import load
from persona.errors import PermanentError, UserError
from persona.retraining import mark
from tests.conftest import Home

CREATED = "2026-03-01T23:30:00+00:00"


@pytest.fixture
def adapters(trained: Home, tmp_path: Path) -> Path:
    """Two versions, the first of them current, and one that was never sealed."""
    adapters = load(trained.config).adapters
    shutil.copytree(adapters / "1", tmp_path / "1")
    shutil.copytree(adapters / "1", tmp_path / "2")
    (tmp_path / "3").mkdir()
    (tmp_path / "current").symlink_to("1")
    return tmp_path


def test_a_version_is_made_current_and_rolled_back(adapters: Path) -> None:
    """As far back as there are versions."""
    assert choices(versions_of(adapters)) == ([("2", "2"), ("1, current", "1")], "1")
    make_current(adapters, "2")
    assert current(adapters).version == "2"
    assert roll_back(adapters) == "1"
    assert current(adapters).version == "1"
    with pytest.raises(UserError, match="no older version"):
        roll_back(adapters)


def test_a_version_tells_the_time_of_this_machine(adapters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals are in UTC."""
    version = replace(versions_of(adapters)[0], seal=read_seal(adapters / "1").model_copy(update={"created": CREATED}))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    assert version.made == "2026-03-02 08:30"
    monkeypatch.undo()
    time.tzset()


def test_a_version_that_was_held_back_is_passed_over(adapters: Path) -> None:
    """It says why it is silent, and speaks only by its number."""
    for gate in ({"passed": False, "reasons": ["it leaks"]}, {"passed": True}):
        with draft(adapters) as folder:
            publish(folder, read_seal(adapters / "1").model_copy(update={"metrics": {"gate": gate}}))
    labels, _ = choices(versions_of(adapters))
    assert labels == [("5", "5"), ("4, held back", "4"), ("2", "2"), ("1, current", "1")]
    assert versions_of(adapters)[1].silence == "Version 4 is held back: it leaks."
    make_current(adapters, "5")
    assert roll_back(adapters) == "2"
    make_current(adapters, "4")
    assert current(adapters).version == "4"
    mark(adapters, ["2", "5"], datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(UserError, match="train anew"):
        make_current(adapters, "5")
    assert roll_back(adapters) == "1", "past the one that learned from somebody who is to be forgotten"


def test_a_changed_bundle_does_not_become_current(adapters: Path) -> None:
    """Its files are checked against the seal first."""
    (adapters / "2" / "adapter_config.json").write_text("{}")
    with pytest.raises(PermanentError, match="changed after it was sealed"):
        make_current(adapters, "2")
    assert current(adapters).version == "1"


def test_a_later_report_goes_before_that_of_the_training(adapters: Path) -> None:
    """None where nobody wrote one."""
    assert report_of(adapters, "1") == adapters / "1" / "private" / "report.html"
    later = adapters / "reports" / "1" / "report.html"
    later.parent.mkdir(parents=True)
    later.write_text("<p>later</p>")
    assert report_of(adapters, "1") == later
    assert report_of(adapters, "3") is None
