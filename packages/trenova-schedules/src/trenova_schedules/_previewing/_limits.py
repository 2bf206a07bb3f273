"""How much may be asked for at once."""

from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_errors import InvalidInputError

MOST_FIRES: Final = 1_000_000
"""Nothing lists more times than this, whatever limit was given: a thousand calls, about 10 s and 100 MB."""
LONGEST_WINDOW: Final = timedelta(days=366 * 50)
"""Fifty years; time zones are not known better than that."""


def require_window(start: datetime, end: datetime, limit: int) -> tuple[datetime, datetime]:
    """Return both ends in UTC.

    Raises:
        InvalidInputError: An end without zone, reversed, too far apart, or a limit out of range.
    """
    for name, at in (("start", start), ("end", end)):
        if at.tzinfo is None:
            raise InvalidInputError(f"{name} {at.isoformat()} has no time zone; give it one, such as UTC.")
    if end < start:
        raise InvalidInputError(
            f"The window ends at {end.isoformat()}, before it begins at {start.isoformat()}; exchange them."
        )
    if end - start > LONGEST_WINDOW:
        raise InvalidInputError(
            f"The window from {start.isoformat()} to {end.isoformat()} is longer than 50 years; ask for less."
        )
    if not 1 <= limit <= MOST_FIRES:
        raise InvalidInputError(f"The limit must be from 1 to {MOST_FIRES:,}; got {limit:,}.")
    return start.astimezone(UTC), end.astimezone(UTC)


def too_many(what: str, start: datetime, end: datetime, limit: int) -> InvalidInputError:
    """Say that a window holds more times than may be listed."""
    return InvalidInputError(
        f"{what} fires more than {limit:,} times from {start.isoformat()} to {end.isoformat()}; "
        "ask for a shorter window or raise the limit.",
        limit=limit,
    )
