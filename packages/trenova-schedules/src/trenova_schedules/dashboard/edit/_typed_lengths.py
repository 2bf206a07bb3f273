"""Durations as people type them: ``1 h 30 min``, ``90s``, ``2 days``, or ISO 8601."""

import re
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

_UNITS: Final = {
    "w": 604_800,
    "d": 86_400,
    "h": 3_600,
    "min": 60,
    "s": 1,
}
_NAMES: Final = {
    **_UNITS,
    **dict.fromkeys(("week", "weeks"), 604_800),
    **dict.fromkeys(("day", "days"), 86_400),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), 1),
}
_PART: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)[\s,]*")
_ISO: Final = TypeAdapter(timedelta)
_SAYS: Final = ("d", "h", "min", "s")


def length_of(text: str) -> timedelta:
    """Return a duration.

    Raises:
        ValueError: It is none, or has a number without its unit; with what to write.
    """
    told = text.strip().lower()
    if told.startswith(("p", "+p")):
        return _iso(text.strip())
    seconds, reached = 0.0, 0
    for part in _PART.finditer(told):
        if part.start() != reached or part[2] not in _NAMES:
            break
        seconds, reached = seconds + float(part[1]) * _NAMES[part[2]], part.end()
    if not told or reached != len(told):
        raise ValueError(
            f"{text[:50]!r} is no duration; write numbers with units, such as 90 s, 15 min, 1 h 30 min or 2 d"
        )
    return _fitting(seconds, text)


def typed_length(length: timedelta) -> str:
    """Return a duration so that :func:`length_of` gives it back; empty for none."""
    parts, left = list[str](), length
    for unit in _SAYS[:-1]:
        count, left = divmod(left, timedelta(seconds=_UNITS[unit]))
        if count:
            parts.append(f"{count} {unit}")
    if left:
        parts.append(f"{left.total_seconds():g} s")
    return " ".join(parts)


def _iso(text: str) -> timedelta:
    try:
        return _ISO.validate_python(text.upper())
    except ValidationError:
        raise ValueError(f"{text[:50]!r} is no duration of ISO 8601; write it as PT1H30M, or as 1 h 30 min") from None


def _fitting(seconds: float, text: str) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{text[:50]!r} is longer than anything here lasts") from None
