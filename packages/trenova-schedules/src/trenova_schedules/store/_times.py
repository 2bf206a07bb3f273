"""Times: unix seconds in tables, aware datetimes in UTC in models."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def seconds(at: datetime) -> int:
    """Return unix seconds, rounded down."""
    return int(at.timestamp() // 1)


def from_seconds(at: int) -> datetime:
    """Return an aware datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)


def maybe_seconds(at: datetime | None) -> int | None:
    """Return unix seconds, or None for None."""
    return None if at is None else seconds(at)


def maybe_from_seconds(at: int | None) -> datetime | None:
    """Return an aware datetime, or None for None."""
    return None if at is None else from_seconds(at)
