"""ISO 8601 timestamps as UTC seconds: what machines write, unlike the local dates of `local_dates`."""

from datetime import UTC, datetime, tzinfo


def iso_timestamp(text: str, zone: tzinfo = UTC) -> float | None:
    """Return the UTC seconds of an ISO 8601 date and time, None if it is invalid; one without an offset is in `zone`."""
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=at.tzinfo or zone).timestamp()
    except ValueError:
        return None
