"""Whether a failure leaves it unknown what happened: only with evidence that something was sent.

A bare time-out or lost connection is no evidence. Evidence is a code that says so itself (SQLSTATE 08007 and 40003),
an HTTP client that sent a request which must not simply be repeated and then lost the answer, or the word of the code
that sent it, by :func:`sending`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from trenova_errors._type_decisions import qualified_name

_MARK: Final = "__trenova_sent__"

IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""HTTP methods of which two requests have the effect of one (RFC 9110, section 9.2.2)."""

_KEY: Final = "Idempotency-Key"
_ANSWER_LOST: Final = frozenset(
    {
        "httpx.ReadTimeout",
        "httpx.ReadError",
        "httpx.RemoteProtocolError",
        "requests.exceptions.ReadTimeout",
        "requests.exceptions.ChunkedEncodingError",
    }
)
_MAYBE_LOST: Final = "requests.exceptions.ConnectionError"
_BROKEN_OFF: Final = "urllib3.exceptions.ProtocolError"


@contextmanager
def sending(what: str) -> Iterator[None]:
    """Say that from here on a lost connection or a time-out leaves the outcome unknown.

    ``classify`` then answers ``ambiguous`` for what escapes from the block, where it would answer ``unavailable``.
    Keep the block to the one call that has the effect::

        with sending("COMMIT"):
            await connection.commit()

    Args:
        what: What is sent, for the reason; a constant of the program, never data.
    """
    try:
        yield
    except BaseException as error:
        if not hasattr(error, _MARK):
            error.__dict__[_MARK] = what
        raise


def sent(exc: BaseException) -> str | None:
    """Return what was sent before this exception was raised, if there is evidence; None without."""
    marked = getattr(exc, _MARK, None)
    return marked if isinstance(marked, str) else _lost_answer(exc)


def _lost_answer(exc: BaseException) -> str | None:
    names = {qualified_name(base) for base in type(exc).__mro__}
    lost = bool(names & _ANSWER_LOST) or (_MAYBE_LOST in names and _broke_off(exc))
    request = _request(exc) if lost else None
    method = str(getattr(request, "method", "") or "").upper()
    if not method or method in IDEMPOTENT_METHODS:
        return None
    headers: Any = getattr(request, "headers", None)
    return None if headers and headers.get(_KEY) else f"HTTP {method}"


def _request(exc: BaseException) -> Any:
    try:
        return getattr(exc, "request", None)
    except RuntimeError:  # httpx: the exception was made without one
        return None


def _broke_off(exc: BaseException) -> bool:
    """Whether requests' one exception for every trouble with a connection is about one that was in use."""
    inner = exc.__cause__ or exc.__context__
    return inner is not None and qualified_name(type(inner)) == _BROKEN_OFF
