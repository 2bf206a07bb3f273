"""What an exception failed at, for the retry budget: a host, or the library that speaks to it."""

from typing import Any, Final

from trenova_errors._classification import Classification

_MAX: Final = 200
_NOBODYS: Final = frozenset({"builtins", "socket", "ssl", "asyncio", "concurrent", "trenova_errors", "__main__"})


def dependency_of(found: Classification, activity_type: str) -> str:
    """Return the host of the request that failed, the library whose exception decided, or the type of activity.

    An exception of Python itself says nothing about what it failed at, and two services that refuse connections
    are not one, so that each type of activity has a bucket for these.
    """
    decided = found.exception
    host = None if decided is None else _host(decided)
    if host:
        return host[:_MAX]
    library = type(decided).__module__.partition(".")[0]
    return activity_type if decided is None or library in _NOBODYS else library


def _host(error: BaseException) -> str | None:
    """Return the host that httpx, requests and aiohttp keep on their exceptions."""
    request = _attribute(error, "request") or _attribute(error, "request_info")
    url = _attribute(request, "url")
    host = _attribute(url, "host")
    if isinstance(host, str):
        return host
    if isinstance(url, str):
        from urllib.parse import urlsplit

        return urlsplit(url).hostname
    return None


def _attribute(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except RuntimeError:  # httpx: the exception was made without a request
        return None
