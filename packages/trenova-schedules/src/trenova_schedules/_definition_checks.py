"""What a field of a definition may hold; each check returns the value or says why the server would not mean it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SHORTEST_INTERVAL = timedelta(seconds=1)
_SHORTEST_CATCHUP = timedelta(seconds=10)
_LONGEST_SUMMARY: Final = 200  # the server takes 400 bytes after encoding (limit.userMetadataSummarySize)
_MACHINE_DEPENDENT_ZONES = frozenset({"localtime", "Local", "Factory", "posixrules"})
_MOST_LABELS: Final = 20
_LONGEST_LABEL: Final = 100


def require_known_zone(name: str) -> str:
    """Return the name of a zone that this machine knows as an IANA zone."""
    try:
        zone = None if name in _MACHINE_DEPENDENT_ZONES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    if zone is None:
        raise ValueError(f"time zone {name!r} is not an IANA name; give one such as 'UTC' or 'America/New_York'")
    return name


def require_interval(interval: timedelta) -> timedelta:
    """Return an interval that the server does not round."""
    if interval < _SHORTEST_INTERVAL or interval.microseconds:
        raise ValueError(f"interval must be whole seconds, at least one; got {interval.total_seconds()} s")
    return interval


def require_catchup(window: timedelta) -> timedelta:
    """Return a window that the server does not lengthen."""
    if window < _SHORTEST_CATCHUP:
        got = window.total_seconds()
        raise ValueError(f"catchup_window must be at least 10 s, which Temporal takes less for; got {got} s")
    return window


def require_not_negative(jitter: timedelta) -> timedelta:
    """Return a jitter that is one."""
    if jitter < timedelta(0):
        raise ValueError(f"jitter must not be negative; got {jitter.total_seconds()} s")
    return jitter


def require_summary(text: str) -> str:
    """Return a line that the server takes, also encrypted."""
    if (length := len(text.encode())) > _LONGEST_SUMMARY:
        raise ValueError(f"has {length} bytes; with what a codec adds, the server takes about {_LONGEST_SUMMARY}")
    return text


def require_whole_seconds(moment: datetime) -> datetime:
    """Return the moment in UTC; the server compares whole seconds."""
    if moment.microsecond:
        raise ValueError(f"must be whole seconds; got {moment.isoformat()}")
    return moment.astimezone(UTC)


def require_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return a copy, sorted by name; at most 20 of at most 100 characters each."""
    if len(labels) > _MOST_LABELS:
        raise ValueError(f"at most {_MOST_LABELS} labels; got {len(labels)}")
    for name, value in labels.items():
        if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or not name.isascii():
            raise ValueError(f"label {name!r} may hold ASCII letters, digits, '-', '_' and '.' only")
        if max(len(name), len(value)) > _LONGEST_LABEL:
            raise ValueError(f"label {name!r} or its value is longer than {_LONGEST_LABEL} characters")
    return dict(sorted(labels.items()))


def require_url(url: str) -> str:
    """Return an address that a browser opens, or the empty string."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ValueError(f"runbook {url!r} is no address that a browser opens; begin with https://")
    return url
