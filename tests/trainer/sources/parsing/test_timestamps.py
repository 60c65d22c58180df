"""ISO 8601 timestamps as UTC seconds."""

from datetime import UTC, timedelta, timezone

import pytest

from trainer.sources.parsing.timestamps import iso_timestamp


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-02-29T12:00:00Z", 1709208000.0),
        ("2024-02-29T12:00:00.250+00:00", 1709208000.25),
        ("2024-02-29T14:00:00+02:00", 1709208000.0),
        (" 2024-02-29 12:00:00 ", 1709208000.0),
        ("2023-02-29T12:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_timestamp_is_utc_seconds_or_none(text: str, seconds: float | None) -> None:
    assert iso_timestamp(text, UTC) == seconds


def test_a_timestamp_without_an_offset_is_in_the_given_zone() -> None:
    assert iso_timestamp("2024-02-29T20:00:00", timezone(timedelta(hours=8))) == 1709208000.0
