"""Numbers and durations as people say them."""

from datetime import timedelta
from typing import Final

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SHOWN: Final = 2


def duration_in_words(length: timedelta) -> str:
    """Return a duration by its two largest units, as in ``2 h 5 min``; below a second in milliseconds."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"-{duration_in_words(-length)}"
    if seconds < 1:
        return f"{round(seconds * 1000)} ms" if seconds else "0 s"
    left, parts = round(seconds), list[str]()
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        if len(parts) == _SHOWN or (parts and not left):
            break
    return " ".join(parts)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count and its noun, as in ``1 schedule`` and ``2 schedules``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
