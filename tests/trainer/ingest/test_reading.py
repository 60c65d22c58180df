"""Exports read one after the other: what goes wrong in one costs no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from persona.errors import SettingsError, UserError
from trainer.ingest.reading import read_all
from trainer.progress import Bars
from trainer.sources.message import Message, Reject


@dataclass(frozen=True)
class DamagedExport:
    """An export whose reader gives up after one message."""

    label: str
    error: Exception | None
    size: int = 1

    def read(self, on_bytes: Callable[[int], None]) -> Iterator[Message]:
        yield Message(
            platform="t",
            conversation_id="c",
            conversation_type="group",
            message_id="1",
            sender_id="1",
            sender_name="Ann",
            text=self.label,
        )
        if self.error:
            raise self.error


def read(folder: Path, *exports: DamagedExport) -> list[list[object]]:
    readings = read_all(
        cast(Any, exports), lambda messages: [message.text for message in messages], folder, Bars(quiet=True)
    )
    return [[item for batch in reading for item in (*batch.made, *batch.rejects)] for _, reading in readings]


@pytest.mark.parametrize("error", [UserError("a.zip needs a password"), ValueError("no such month")])
def test_a_fault_in_one_export_is_told_with_its_name(tmp_path: Path, error: Exception) -> None:
    """What was read before it, and the other exports, are kept."""
    first, second = read(tmp_path, DamagedExport("a", error), DamagedExport("b", None))
    assert first[0] == "a"
    assert isinstance(first[1], Reject)
    assert first[1].file == "a"
    assert str(error) in first[1].reason
    assert second == ["b"]


def test_a_mistake_in_the_settings_ends_the_import(tmp_path: Path) -> None:
    """It would be made in every export."""
    with pytest.raises(SettingsError):
        read(tmp_path, DamagedExport("a", SettingsError("[data] persona_role is none")), DamagedExport("b", None))
