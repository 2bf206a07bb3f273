"""What a failure of the database means for the job, in the words of this package.

``trenova_errors.classify`` decides, by type, SQLSTATE and SQLite's result codes, never by message.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Self

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from trenova_errors import ApplicationError, ErrorKind, Fact, sending, to_error
from trenova_store import classified, is_of_database

_UNIQUE_STATE = "23505"
_SQLITE_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


@asynccontextmanager
async def translated(where: str = "", *, committing: bool = False) -> AsyncIterator[None]:
    """Turn driver exceptions of the block into typed errors.

    Args:
        where: The database, for messages; never with a password.
        committing: The block is a COMMIT, so a lost connection leaves the outcome unknown.

    Raises:
        ApplicationError: Of the kind that was decided; its cause is a :class:`DriverError`.
    """
    try:
        with sending("COMMIT") if committing else nullcontext():
            yield
    except Exception as error:
        if is_of_database(error):
            raise translate(error, where, committing=committing) from DriverError.of(error)
        raise


class DriverError(Exception):
    """What the driver raised, without the rows and parameters that its own text repeats."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Name the driver's exception, its code and what of the schema it is about."""
        original = getattr(error, "orig", None) or error
        source = getattr(original, "__cause__", None) or original
        facts = {
            "sqlstate": sqlstate(error),
            "sqlite": getattr(source, "sqlite_errorname", None),
            "table": getattr(source, "table_name", None),
            "column": getattr(source, "column_name", None),
            "constraint": getattr(source, "constraint_name", None),
        }
        said = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
        return cls(f"{type(source).__module__}.{type(source).__qualname__}" + (f" ({said})" if said else ""))


def translate(error: Exception, where: str = "", *, committing: bool = False) -> ApplicationError:
    """Say what one failure means for a job; the decision is that of ``trenova_errors.classify``."""
    found = classified(error, committing=committing)
    say = _MESSAGES.get(found.kind, "The database {where} failed. {reason}")
    if isinstance(error, PoolTimeoutError):
        say = _NO_CONNECTION_FREE
    if sqlstate(error) in _LACKING:
        say = _LACKS
    facts: dict[str, Fact] = {"sqlstate": sqlstate(error)}
    if found.kind in (ErrorKind.DATA_INTEGRITY, ErrorKind.INVALID_INPUT):
        facts["unique"] = _is_unique(error)
    return to_error(
        found, say.format(where=where, why=_why(error), reason=found.reason, lacking=_lacking(error)), **facts
    )


_MESSAGES = {
    ErrorKind.RETRYABLE: "The database gave up, and nothing was written. {reason}",
    ErrorKind.UNAVAILABLE: "The database {where} cannot be reached or went away{why}. {reason}",
    ErrorKind.THROTTLE: (
        "The database {where} takes no more connections. {reason} Lower database.pool_size, or let it take more."
    ),
    ErrorKind.AMBIGUOUS: (
        "The connection was lost during a commit, so it is unknown whether it took effect. Read back before deciding."
    ),
    ErrorKind.DATA_INTEGRITY: "The database refused the rows, and nothing was written. {reason}",
    ErrorKind.INVALID_INPUT: "A value does not fit its column, and nothing was written. {reason}",
    ErrorKind.CONFIGURATION: (
        "The database {where} cannot be used as configured. {reason} Correct its URL, or the tables and privileges of "
        "its user."
    ),
}
_LACKING = {
    "42501": "this user lacks a privilege",
    "42P01": "a table is not there",
    "42703": "a column is not there",
    "42883": "a function is not there",
    "3F000": "a schema is not there",
}
"""What a statement met, by SQLSTATE; which table it was, the driver seldom says, and the statement is not repeated."""
_LACKS = (
    "The database {where} refused a statement, and nothing was written: {lacking}. "
    "'trenova-activities db check --job <job>', run as the same user, names what the job lacks."
)
_NO_CONNECTION_FREE = (
    "No free database connection in time. Raise database.pool_size to the number of concurrent activities."
)


def _lacking(error: Exception) -> str:
    """Return what a refused statement met, with the names that the driver gives; empty if it was nothing of that."""
    state = sqlstate(error)
    original = getattr(error, "orig", None) or error
    source = getattr(original, "__cause__", None) or original
    named = [(kind, getattr(source, f"{kind}_name", None)) for kind in ("schema", "table", "column")]
    about = "".join(f", {kind} {name}" for kind, name in named if name)
    return f"{_LACKING.get(state, '')} (SQLSTATE {state}{about})"


def _why(error: Exception) -> str:
    """Return what the operating system said of a connection that did not come about."""
    said = error.strerror if isinstance(error, OSError) else None
    return f": {said}" if said else ""


def sqlstate(error: BaseException) -> str:
    """Return the five-character SQLSTATE that the driver reported, or an empty string."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    return state if isinstance(state, str) else ""


def _is_unique(error: BaseException) -> bool:
    return sqlstate(error) == _UNIQUE_STATE or _sqlite_code(error) in _SQLITE_UNIQUE


def _sqlite_code(error: BaseException) -> int | None:
    """Return SQLite's extended result code, if the error is SQLite's."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None) if isinstance(original, sqlite3.Error) else None
    return code if isinstance(code, int) else None
