"""The code that an exception carries: SQLSTATE, result code, status, reply or errno, never anything from its text."""

import errno
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trenova_errors._decision import Decision
from trenova_errors._table_aws import AWS
from trenova_errors._table_errno import ADDRESSES, ERRNOS
from trenova_errors._table_grpc import GRPC, NUMBERS
from trenova_errors._table_http import HTTP
from trenova_errors._table_smtp import smtp_decision
from trenova_errors._table_sqlite import sqlite_decision
from trenova_errors._table_sqlstate import sqlstate_decision

_SQLSTATE_LENGTH: Final = 5
_ADDRESS_NAMES: Final = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found and what it means.

    Attributes:
        system: Whose code, as people say it: ``SQLSTATE``, ``SQLite``, ``gRPC``, ``AWS``, ``SMTP``, ``HTTP``,
            ``errno``, ``getaddrinfo``.
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
    state = getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None)
    if not isinstance(state, str) or len(state) != _SQLSTATE_LENGTH:
        return None
    return _code("SQLSTATE", state, sqlstate_decision(state))


def _sqlite(exc: BaseException) -> Code | None:
    name = getattr(exc, "sqlite_errorname", None)
    return _code("SQLite", name, sqlite_decision(name)) if isinstance(name, str) else None


def _grpc(exc: BaseException) -> Code | None:
    for attribute in ("grpc_status_code", "status", "code"):
        value = getattr(exc, attribute, None)
        if attribute == "code" and callable(value):
            value = _called(value)
        name = getattr(value, "name", None)
        if isinstance(name, str) and name in GRPC:
            return Code("gRPC", name, GRPC[name])
    return None


def _called(value: Callable[[], Any]) -> Any:
    try:
        return value()
    except Exception:  # noqa: BLE001 - somebody else's method that merely has the name; its failure says nothing
        return None


def _aws(exc: BaseException) -> Code | None:
    response = getattr(exc, "response", None)
    if not isinstance(response, Mapping) or not isinstance(response.get("Error"), Mapping):
        return None
    code = str(response["Error"].get("Code", ""))
    if code in AWS:
        return Code("AWS", code, AWS[code])
    metadata = response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None
    return _http_code(status)


def _smtp(exc: BaseException) -> Code | None:
    replies = _replies(exc)
    found = [(reply, decision) for reply in replies if (decision := smtp_decision(reply))]
    if not found:
        return None
    # Of several recipients one that may be accepted later is worth another attempt.
    reply, decision = next(((r, d) for r, d in found if not d.kind.permanent), found[0])
    return Code("SMTP", str(reply), decision)


def _replies(exc: BaseException) -> list[int]:
    if type(exc).__module__.partition(".")[0] not in {"smtplib", "aiosmtplib"}:
        bases = {cls.__module__.partition(".")[0] for cls in type(exc).__mro__}
        if not bases & {"smtplib", "aiosmtplib"}:
            return []
    refused = getattr(exc, "recipients", None)
    if isinstance(refused, Mapping):
        return [reply[0] for reply in refused.values() if isinstance(reply, tuple) and isinstance(reply[0], int)]
    if isinstance(refused, list):
        return [reply for item in refused if isinstance(reply := getattr(item, "code", None), int)]
    reply = getattr(exc, "smtp_code", None) or getattr(exc, "code", None)
    return [reply] if isinstance(reply, int) else []


def _http(exc: BaseException) -> Code | None:
    candidates = (
        getattr(getattr(exc, "response", None), "status_code", None),
        getattr(exc, "status_code", None),
        getattr(exc, "status", None),
        getattr(exc, "code", None),
    )
    return next((found for value in candidates if (found := _http_code(value))), None)


def _http_code(status: object) -> Code | None:
    if type(status) is not int and not hasattr(status, "phrase"):  # http.HTTPStatus has one
        return None
    number = int(status)  # type: ignore[call-overload]
    return Code("HTTP", str(number), HTTP[number]) if number in HTTP else None


def _errno(exc: BaseException) -> Code | None:
    if not isinstance(exc, OSError) or exc.errno is None or isinstance(exc, ssl.SSLError):
        return None
    if isinstance(exc, socket.gaierror):
        name = _ADDRESS_NAMES.get(exc.errno, "")
        return _code("getaddrinfo", name, ADDRESSES.get(name))
    name = errno.errorcode.get(exc.errno, "")
    return _code("errno", name, ERRNOS.get(name))


def _code(system: str, value: str, decision: Decision | None) -> Code | None:
    return None if decision is None else Code(system, value, decision)


_PROBES: Final = (_sqlstate, _sqlite, _grpc, _aws, _smtp, _http, _errno)
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
}
"""How each system's codes are looked up, by the name that :attr:`Code.system` has."""

GRPC_NAMES: Final = NUMBERS
