"""Time zones to choose from."""

from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from trenova_schedules._definition_checks import require_known_zone

_OFFERED: Final = 3


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names that a schedule may have, UTC first; read once."""
    return ("UTC", *sorted(filter(_is_wanted, available_timezones())))


def zones_like(text: str) -> list[str]:
    """Return the names that somebody may have meant, at most three: by the place, or by a slip."""
    told = text.strip().replace(" ", "_").casefold()
    if not told:
        return []
    known = {name.casefold(): name for name in zone_names()}
    places = [name for low, name in known.items() if told in low]
    close = [known[low] for low in get_close_matches(told, known, n=_OFFERED)]
    return list(dict.fromkeys([*sorted(places, key=len), *close]))[:_OFFERED]


def _is_wanted(name: str) -> bool:
    try:
        require_known_zone(name)
    except ValueError:
        return False
    return "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
