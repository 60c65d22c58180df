"""Which adapter speaks, as the page shows and changes it."""

import shutil
from pathlib import Path

import pytest

from bot.studio.bundles import choices, make_current, roll_back, versions_of
from bot.studio.report import report_of
from persona.bundle import current
from persona.config import load
from persona.errors import PermanentError, UserError
from tests.conftest import Home


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
