"""Codes as people type them: with the name of their system, by number or by name, in any case."""

import errno
import re
import socket
import sqlite3
from collections.abc import Callable, Iterable
from typing import Final

from trenova_errors._codes import SQLALCHEMY, SYSTEMS, Code
from trenova_errors._decision import Decision
from trenova_errors._table_aws import AWS
from trenova_errors._table_errno import ADDRESSES, ERRNOS
from trenova_errors._table_grpc import GRPC, NUMBERS
from trenova_errors._table_http import HTTP
from trenova_errors._table_smtp import SMTP
from trenova_errors._table_sqlite import SQLITE
from trenova_errors._table_sqlstate import SQLSTATES

SYSTEM_NAMES: Final = {
    **{name.lower(): name for name in SYSTEMS},
    "pg": "SQLSTATE",
    "postgres": "SQLSTATE",
    "postgresql": "SQLSTATE",
    "sqlite3": "SQLite",
    "dns": "getaddrinfo",
    "type": "type",
    "class": "type",
    "kind": "kind",
    "timeout": "timeout",
}
"""How people call a system, in lower case, and its name in :attr:`Code.system`."""

_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
TABLES: Final[dict[str, dict[str, Decision]]] = {
    "SQLSTATE": SQLSTATES,
    "SQLite": SQLITE,
    "gRPC": GRPC,
    "AWS": AWS,
    "SMTP": SMTP,
    "HTTP": {str(status): decision for status, decision in HTTP.items()},
    "errno": ERRNOS,
    "getaddrinfo": ADDRESSES,
    "SQLAlchemy": SQLALCHEMY,
}
"""Every table of codes, by the name of its system."""

_LAST_RESULT: Final = 100
"""SQLite's primary result codes that are failures are below SQLITE_ROW."""


def known_codes() -> dict[str, tuple[str, ...]]:
    """Return every code that stands in a table, by system."""
    return {system: tuple(table) for system, table in TABLES.items()}


def code_named(system: str, value: str) -> Code | None:
    """Return a code of one system by its name or number; None if the system has no such code.

    Args:
        system: As :attr:`Code.system` has it.
        value: ``40P01``, ``429``, ``UNAVAILABLE``, ``14``, ``SQLITE_BUSY``, ``busy``, ``ECONNRESET``.
    """
    for name in _spellings(system, value):
        decision = SYSTEMS[system](name) if system in SYSTEMS else None
        if decision is not None:
            return Code(system, name, decision)
    return None


def codes_like(value: str) -> list[Code]:
    """Return what a word without the name of its system may mean.

    A number means all that it can be; a name that is written exactly as one system writes it means that one.
    """
    if value.isdecimal():
        found = (code_named(system, value) for system in SYSTEMS)
        return [code for code in found if code is not None and (code.system != "SQLSTATE" or value in SQLSTATES)]
    exact = [code_named(system, value) for system, table in TABLES.items() if value in table]
    exact += [Code("SQLSTATE", state, SQLSTATES[state]) for state in _states_named(value)]
    folded = exact or [code_named(system, value) for system in SYSTEMS if _looks_like(system, value)]
    return [code for code in folded if code is not None]


def _states_named(value: str) -> list[str]:
    """Return SQLSTATEs by the name of a condition or a driver's class: ``unique_violation``, ``UniqueViolation``."""
    wanted = value.lower().replace("_", "").removesuffix("error")
    return [
        state for state, decision in SQLSTATES.items() if wanted == decision.name.replace("_", "").removesuffix("error")
    ]


def _looks_like(system: str, value: str) -> bool:
    if system == "SQLSTATE":
        return any(map(str.isdigit, value)) and _SQLSTATE.fullmatch(value.upper()) is not None
    folded = value.lower()
    return folded.startswith("sqlite_") if system == "SQLite" else folded in map(str.lower, TABLES[system])


def _spellings(system: str, value: str) -> Iterable[str]:
    """Yield how the system itself may write what was typed."""
    if value.isdecimal():
        named = _BY_NUMBER.get(system, str)(int(value))
        return () if named is None else (value if system == "SQLSTATE" else named,)
    folded = {name.lower(): name for name in TABLES[system]}
    prefix = {"SQLite": "SQLITE_", "errno": "E", "getaddrinfo": "EAI_"}.get(system, "")
    bare = value.rpartition(".")[2].upper() if system == "gRPC" else value.upper()
    known = [folded[name.lower()] for name in (value, bare, prefix + bare) if name.lower() in folded]
    # What is in no table may still have a meaning: SQLSTATEs by their class, extended results by their primary one.
    return known or ([bare] if system == "SQLSTATE" and _SQLSTATE.fullmatch(bare) else _extended(system, bare))


def _extended(system: str, name: str) -> list[str]:
    return [name] if system == "SQLite" and name in vars(sqlite3) else []


def _grpc(number: int) -> str | None:
    return NUMBERS[number] if 0 < number < len(NUMBERS) else None


def _sqlite(number: int) -> str | None:
    names = (name for name, value in vars(sqlite3).items() if name.startswith("SQLITE_") and value == number)
    primary = number & 0xFF
    return next((name for name in names if _is_result(name)), None) if 0 < primary < _LAST_RESULT else None


def _is_result(name: str) -> bool:
    return name in SQLITE or name.rpartition("_")[0] in SQLITE


def _address(number: int) -> str | None:
    names = (name for name, value in vars(socket).items() if name.startswith("EAI_") and value == -number)
    return next(names, None)


_BY_NUMBER: Final[dict[str, Callable[[int], str | None]]] = {
    "gRPC": _grpc,
    "SQLite": _sqlite,
    "errno": errno.errorcode.get,
    "getaddrinfo": _address,
    "AWS": lambda _: None,
}
"""Names of those systems whose exceptions carry a name, by number; glibc's of getaddrinfo are negative."""
