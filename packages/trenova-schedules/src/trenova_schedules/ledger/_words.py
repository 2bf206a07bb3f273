"""Durations in words."""

from typing import Final

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))

MADE_UP: Final = "a backfill ran it"
"""What the reason of a tick ends with that a backfill ran; its class stays what it was."""


def duration(seconds: float) -> str:
    """Say a duration in its two largest units, such as ``2 h 5 min`` or ``12 s``."""
    left, parts = int(seconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
