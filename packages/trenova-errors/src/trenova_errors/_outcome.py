"""Whether a failure leaves it unknown what happened: only with evidence that something was sent.

A bare time-out or lost connection is no evidence. Evidence is a code that says so itself (SQLSTATE 08007 and 40003),
an HTTP client that sent a request which must not simply be repeated and then lost the answer, or the word of the code
that sent it, by :func:`sending`.
"""

from types import TracebackType
from typing import Final

from trenova_errors._attribute import attribute, entry
from trenova_errors._kinds import ErrorKind
from trenova_errors._table_http import HTTP
from trenova_errors._type_decisions import names_of, qualified_name

_MARK: Final = "__trenova_sent__"

IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""HTTP methods of which two requests have the effect of one (RFC 9110, section 9.2.2)."""

_SERVER_ERROR: Final = 500
_KNOWN_METHODS: Final = frozenset({"POST", "PATCH", "CONNECT"})
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
_ANSWERED: Final = frozenset(
    {"httpx.HTTPStatusError", "requests.exceptions.HTTPError", "aiohttp.client_exceptions.ClientResponseError"}
)
_BY_GATEWAY: Final = frozenset({502, 504, 520, 524, 598})
"""Statuses by which a gateway says that it passed the request on and lost the answer."""

_HALF_WAY: Final = frozenset(
    status for status, decision in HTTP.items() if status >= _SERVER_ERROR and decision.kind is ErrorKind.RETRYABLE
)
"""500, and what nobody registered and means the same: the server may have done its work before it failed."""

_LEFT_OPEN: Final = _BY_GATEWAY | _HALF_WAY

_NEVER_CONNECTED: Final = frozenset(
    {
        "builtins.ConnectionRefusedError",
        "socket.gaierror",
        "httpx.ConnectError",
        "httpx.ConnectTimeout",
        "httpx.PoolTimeout",
        "aiohttp.client_exceptions.ClientConnectorError",
        "aiohttp.client_exceptions.ConnectionTimeoutError",
        "requests.exceptions.ConnectTimeout",
        "urllib3.exceptions.ConnectTimeoutError",
        "smtplib.SMTPConnectError",
        "aiosmtplib.errors.SMTPConnectError",
        "aiosmtplib.errors.SMTPConnectTimeoutError",
        "sqlalchemy.exc.TimeoutError",
        "psycopg.errors.ConnectionTimeout",
        "psycopg_pool.errors.PoolTimeout",
        "psycopg_pool.errors.TooManyRequests",
    }
)
"""What is raised before anything can be sent, by libraries that do not send twice on their own.

botocore and redis do: after their own retries a refused connection may follow a request that was sent.
"""

_MAYBE_LOST: Final = "requests.exceptions.ConnectionError"
_BROKEN_OFF: Final = "urllib3.exceptions.ProtocolError"


def sending(what: str) -> "_Sending":
    """Say that from here on a lost connection or a time-out leaves the outcome unknown.

    ``classify`` then answers ``ambiguous`` for what escapes from the block, where it would answer ``unavailable`` or
    does not know the exception, also if another exception replaces that one later. What was surely not taken (a refused
    connection, HTTP 503, SQLSTATE 40001) stays what it is, and so does a mistake in code (``TypeError``, ``KeyError``),
    which Python raises before or after a request. Keep the block to the one call that has the effect::

        with sending("COMMIT"):
            await connection.commit()

    Args:
        what: What is sent, for the reason; a constant of the program, never data.
    """
    return _Sending(what)


class _Sending:
    """A class, because ``contextlib.contextmanager`` replaces an error that it cannot assign to, as frozen ones are."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(attribute(error, _MARK), str):
            BaseException.__setattr__(error, _MARK, self._what)


def sent(exc: BaseException) -> str | None:
    """Return what was sent before this exception was raised, if there is evidence; None without."""
    if not _connected(exc):
        return None
    marked = attribute(exc, _MARK)
    return marked if isinstance(marked, str) else _lost_answer(exc)


def _connected(exc: BaseException) -> bool:
    """Whether there was a connection to send something on, as far as the exception itself tells."""
    # requests wraps what urllib3 gives for a reason, and urllib has a reason itself.
    involved = (exc, attribute(exc, "reason"), attribute(_inner(exc), "reason"))
    return all(names_of(type(one)).isdisjoint(_NEVER_CONNECTED) for one in involved)


def _lost_answer(exc: BaseException) -> str | None:
    request = _unanswered(exc)
    method = attribute(request, "method")
    if not isinstance(method, str) or not method or method.upper() in IDEMPOTENT_METHODS:
        return None
    if entry(attribute(request, "headers"), _KEY):
        return None
    return f"HTTP {method.upper()}" if method.upper() in _KNOWN_METHODS else "an HTTP request"


def _unanswered(exc: BaseException) -> object:
    """Return the request that was sent and to which nobody knows the answer; None if there is no such request."""
    names = names_of(type(exc))
    if names & _ANSWER_LOST or (_MAYBE_LOST in names and _broke_off(exc)):
        return attribute(exc, "request")
    statuses = (attribute(exc, "status"), attribute(attribute(exc, "response"), "status_code"))
    if names & _ANSWERED and any(isinstance(status, int) and status in _LEFT_OPEN for status in statuses):
        request = attribute(exc, "request")
        return attribute(exc, "request_info") if request is None else request
    return None


def _broke_off(exc: BaseException) -> bool:
    """Whether requests' one exception for every trouble with a connection is about one that was in use."""
    return qualified_name(type(_inner(exc))) == _BROKEN_OFF


def _inner(exc: BaseException) -> object:
    cause = attribute(exc, "__cause__")
    return attribute(exc, "__context__") if cause is None else cause
