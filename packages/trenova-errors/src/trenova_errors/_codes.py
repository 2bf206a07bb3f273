"""The code that an exception carries: SQLSTATE, result code, status, reply or errno, never anything from its text."""

import errno
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from trenova_errors._attribute import answer, attribute, entry
from trenova_errors._decision import Decision
from trenova_errors._kinds import ErrorKind
from trenova_errors._table_aws import AWS
from trenova_errors._table_errno import ADDRESSES, ERRNOS
from trenova_errors._table_grpc import GRPC
from trenova_errors._table_http import HTTP, REDIRECTED
from trenova_errors._table_smtp import smtp_decision
from trenova_errors._table_sqlite import sqlite_decision
from trenova_errors._table_sqlstate import sqlstate_decision
from trenova_errors._type_decisions import names_of, qualified_name

_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
_MAIL: Final = frozenset({"smtplib.SMTPException", "aiosmtplib.errors.SMTPException"})
_NO_ANSWER: Final = "aiohttp.http_exceptions.HttpProcessingError"
"""What is raised with the status 400 for an answer that is no HTTP."""

_GRPC_STATUSES: Final = frozenset({"grpc.StatusCode", "temporalio.service.RPCStatusCode", "grpclib.const.Status"})
_DATABASE: Final = "sqlalchemy.exc.DBAPIError"
_INVALIDATED: Final = "connection_invalidated"
_RESULT_CODE: Final = re.compile(r"SQLITE_[A-Z0-9_]{1,40}")
_ADDRESS_NAMES: Final = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}

SQLALCHEMY: Final = {_INVALIDATED: Decision(ErrorKind.UNAVAILABLE, "connection was given up as lost")}
"""What SQLAlchemy itself says of an exception of any driver."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found and what it means.

    Attributes:
        system: Whose code, as people say it: ``SQLSTATE``, ``SQLite``, ``gRPC``, ``AWS``, ``SMTP``, ``HTTP``,
            ``errno``, ``getaddrinfo``, ``SQLAlchemy``.
        value: The code itself.
        decision: What it means.
    """

    system: str
    value: str
    decision: Decision

    @property
    def source(self) -> str:
        """``SQLSTATE 40P01``."""
        return f"{self.system} {self.value}"

    @property
    def described(self) -> str:
        """``SQLSTATE 40P01 (deadlock_detected)``, unless the code is its own name."""
        return self.source if self.decision.name == self.value else f"{self.source} ({self.decision.name})"

    @property
    def code(self) -> str:
        """``sqlstate.40P01``, the finer code of an error that it decides."""
        return f"{self.system.lower()}.{self.value}"


def code_of(exc: BaseException) -> Code | None:
    """Return the first code that an exception carries, the most telling system first; None if it has none."""
    for probe in _PROBES:
        found = probe(exc)
        if found is not None:
            return found
    return None


def _sqlstate(exc: BaseException) -> Code | None:
    for state in (attribute(exc, "sqlstate"), attribute(exc, "pgcode"), _refused_login(exc)):
        if isinstance(state, str) and _SQLSTATE.fullmatch(state):
            return _code("SQLSTATE", state, sqlstate_decision(state))
    return None


def _refused_login(exc: BaseException) -> str | None:
    """Return the one SQLSTATE of a failed log-in that libpq lets psycopg know: no password where one is needed."""
    needs = "psycopg.Error" in names_of(type(exc)) and attribute(attribute(exc, "pgconn"), "needs_password") is True
    return "28P01" if needs else None


def _sqlite(exc: BaseException) -> Code | None:
    name = attribute(exc, "sqlite_errorname")
    if not isinstance(name, str) or not _RESULT_CODE.fullmatch(name):
        return None
    return _code("SQLite", name, sqlite_decision(name))


def _grpc(exc: BaseException) -> Code | None:
    for value in (attribute(exc, "grpc_status_code"), attribute(exc, "status"), _of_call(exc)):
        # A shipment's status may be called CANCELLED, too.
        name = attribute(value, "name") if qualified_name(type(value)) in _GRPC_STATUSES else None
        if isinstance(name, str) and name in GRPC:
            return Code("gRPC", name, GRPC[name])
    return None


def _of_call(exc: BaseException) -> object:
    """Return the status of a gRPC call; only of one, because many things have a method of that name."""
    return answer(exc, "code") if "grpc.RpcError" in names_of(type(exc)) else None


def _aws(exc: BaseException) -> Code | None:
    response = attribute(exc, "response")
    error = entry(response, "Error")
    if not isinstance(response, Mapping) or not isinstance(error, Mapping):
        return None
    code = entry(error, "Code")
    if isinstance(code, str) and code in AWS:
        return Code("AWS", code, AWS[code])
    return _http_code(entry(entry(response, "ResponseMetadata"), "HTTPStatusCode"))


def _smtp(exc: BaseException) -> Code | None:
    replies = _replies(exc)
    found = [(reply, decision) for reply in replies if (decision := smtp_decision(reply))]
    if not found:
        return None
    # Of several recipients one that may be accepted later is worth another attempt.
    reply, decision = next(((r, d) for r, d in found if not d.kind.permanent), found[0])
    return Code("SMTP", str(reply), decision)


def _replies(exc: BaseException) -> list[int]:
    if names_of(type(exc)).isdisjoint(_MAIL):
        return []
    refused = attribute(exc, "recipients")
    if isinstance(refused, Mapping):
        return [reply[0] for reply in refused.values() if isinstance(reply, tuple) and isinstance(reply[0], int)]
    if isinstance(refused, list):
        return [reply for item in refused if isinstance(reply := attribute(item, "code"), int)]
    named = (attribute(exc, "smtp_code"), attribute(exc, "code"))
    return [reply for reply in named if isinstance(reply, int)]


def _http(exc: BaseException) -> Code | None:
    if any(_NO_ANSWER in names_of(type(one)) for one in (exc, attribute(exc, "__cause__"))):
        return None
    response = attribute(exc, "response")
    for owner, name in ((response, "status_code"), (exc, "status_code"), (exc, "status"), (exc, "code")):
        found = _http_code(attribute(owner, name))
        if found is not None:
            return found
    return _redirect(attribute(response, "status_code"))


def _redirect(status: object) -> Code | None:
    """Read a status that only ``httpx`` calls an error, and only where it follows no redirects."""
    redirected = type(status) is int and 300 <= status <= 399  # noqa: PLR2004 - the class of RFC 9110, section 15.4
    return Code("HTTP", str(status), REDIRECTED) if redirected else None


def _http_code(status: object) -> Code | None:
    if type(status) is not int and not isinstance(status, HTTPStatus):
        return None
    number = int(status)
    return Code("HTTP", str(number), HTTP[number]) if number in HTTP else None


def _errno(exc: BaseException) -> Code | None:
    if not isinstance(exc, OSError) or isinstance(exc, ssl.SSLError):
        return None
    number = attribute(exc, "errno")
    if not isinstance(number, int):
        return None
    if isinstance(exc, socket.gaierror):
        name = _ADDRESS_NAMES.get(number, "")
        return _code("getaddrinfo", name, ADDRESSES.get(name))
    name = errno.errorcode.get(number, "")
    return _code("errno", name, ERRNOS.get(name))


def _invalidated(exc: BaseException) -> Code | None:
    """Read SQLAlchemy's own word for a lost connection, where the driver has no code for it."""
    if _DATABASE not in names_of(type(exc)) or attribute(exc, _INVALIDATED) is not True:
        return None
    below = (attribute(exc, "orig"), attribute(attribute(exc, "orig"), "__cause__"))
    coded = any(isinstance(one, BaseException) and code_of(one) is not None for one in below)
    return None if coded else Code("SQLAlchemy", _INVALIDATED, SQLALCHEMY[_INVALIDATED])


def _code(system: str, value: str, decision: Decision | None) -> Code | None:
    return None if decision is None else Code(system, value, decision)


_PROBES: Final = (_sqlstate, _sqlite, _grpc, _aws, _smtp, _http, _errno, _invalidated)
"""In this order: a driver's code says more than the status of a response, and that more than errno."""

SYSTEMS: Final[dict[str, Callable[[str], Decision | None]]] = {
    "SQLSTATE": sqlstate_decision,
    "SQLite": sqlite_decision,
    "gRPC": GRPC.get,
    "AWS": AWS.get,
    "SMTP": lambda value: smtp_decision(int(value)) if value.isdecimal() else None,
    "HTTP": lambda value: HTTP.get(int(value)) if value.isdecimal() else None,
    "errno": ERRNOS.get,
    "getaddrinfo": ADDRESSES.get,
    "SQLAlchemy": SQLALCHEMY.get,
}
"""How each system's codes are looked up, by the name that :attr:`Code.system` has."""
