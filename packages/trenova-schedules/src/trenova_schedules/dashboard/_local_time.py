"""Times as people type them, in the schedule's zone."""

from datetime import UTC, datetime
from typing import Literal

from trenova_errors import InvalidInputError
from trenova_schedules._previewing._zones import zone_named


def instant_of(text: str, zone: str, *, edge: Literal["start", "end"]) -> datetime:
    """Return the instant that a date and time of a zone stand for.

    Of a time that comes twice, a range begins at the first and ends at the second, so that it holds both.

    Args:
        text: As a field of the type ``datetime-local`` sends it.
        zone: IANA name.
        edge: Of the range.

    Raises:
        InvalidInputError: It is no time, or one that clocks of the zone leave out.
    """
    name = "from" if edge == "start" else "until"
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(f"The field {name!r} has no time. Give a date and a time.") from None
    if typed.tzinfo is not None:
        return typed.astimezone(UTC)
    local = typed.replace(tzinfo=zone_named(zone), fold=0 if edge == "start" else 1)
    at = local.astimezone(UTC)
    if at.astimezone(local.tzinfo).replace(tzinfo=None) != typed:
        raise InvalidInputError(
            f"{typed:%Y-%m-%d %H:%M} is left out by the clocks of {zone}: they are put forward then. "
            "Give a time before or after."
        )
    return at


def doubled(at: datetime, zone: str, *, edge: Literal["start", "end"]) -> list[str]:
    """Say that clocks of the zone show an end of a range twice, and which of both is meant; empty where they do not."""
    local = at.astimezone(zone_named(zone))
    first, second = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if second <= first:
        return []
    which = "first" if at == first else "second"
    word = "begins" if edge == "start" else "ends"
    said = f"{local:%Y-%m-%d %H:%M} comes twice in {zone}, as its clocks are put back"
    return [f"{said}: the range {word} at the {which}, {at.astimezone(UTC):%H:%M} UTC."]


def typed_of(at: datetime, zone: str) -> str:
    """Return an instant as a field of the type ``datetime-local`` takes it."""
    return f"{at.astimezone(zone_named(zone)):%Y-%m-%dT%H:%M:%S}"
