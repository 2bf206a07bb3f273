"""Time zones to choose from."""

from functools import cache
from zoneinfo import available_timezones

from trenova_schedules._definition_checks import require_known_zone


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names that a schedule may have, UTC first; read once."""
    return ("UTC", *sorted(filter(_is_wanted, available_timezones())))


def _is_wanted(name: str) -> bool:
    try:
        require_known_zone(name)
    except ValueError:
        return False
    return "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
