"""What a failure of the database means for the job: by type and SQLSTATE, never by message.

SQLSTATEs are those of PostgreSQL's manual, appendix A; SQLite result codes those of sqlite.org/rescode.html.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConfigurationError,
    DataIntegrityError,
    RetryableError,
    UnavailableError,
)

_RETRYABLE_STATES = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "55P03": "lock not available in time",
    "57014": "statement time-out",
}
_LOST_CLASSES = frozenset({"08", "53", "57"})
_AMBIGUOUS_STATES = frozenset({"08007", "40003"})
_CONFIGURATION_CLASSES = {
    "28": "the database refused the user",
    "3D": "the database does not exist",
    "3F": "the schema does not exist",
    "42": "a table, column or privilege is missing",
}
_DATA_CLASSES = {"22": "a value does not fit its column", "23": "a constraint of the database was violated"}
_UNIQUE_STATE = "23505"
_SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})  # primary codes: the low eight bits
_SQLITE_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


@asynccontextmanager
async def translated(where: str = "", *, committing: bool = False) -> AsyncIterator[None]:
    """Turn driver exceptions of the block into typed errors.

    Args:
        where: The database, for messages; never with a password.
        committing: The block is a COMMIT, so a lost connection leaves the outcome unknown.

    Raises:
        ApplicationError: One of the kinds named in this module; its cause is a :class:`DriverError`.
    """
    try:
        yield
    except Exception as error:
        # asyncpg's own exceptions escape bare while connecting; their mark is the SQLSTATE.
        if isinstance(error, (SQLAlchemyError, OSError, OverflowError)) or hasattr(error, "sqlstate"):
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
    """Decide what one failure means; see the module for the sources of the codes."""
    state = sqlstate(error)
    if committing and (_is_lost(error, state) or state in _AMBIGUOUS_STATES):
        return AmbiguousOutcomeError(
            "The connection was lost during a commit, so it is unknown whether it took effect. "
            "Read back before deciding.",
            sqlstate=state,
        )
    return _permanent(error, state, where) or _passing(error, state, where)


def _permanent(error: Exception, state: str, where: str) -> ApplicationError | None:
    kind = state[:2]
    if isinstance(error, (IntegrityError, OverflowError)) or kind in _DATA_CLASSES:
        what = _DATA_CLASSES.get("22" if isinstance(error, OverflowError) else kind, _DATA_CLASSES["23"])
        return DataIntegrityError(
            f"The database refused the rows: {what}. Nothing was written.",
            sqlstate=state,
            unique=_is_unique(error),
        )
    if kind in _CONFIGURATION_CLASSES:
        return ConfigurationError(
            f"The database {where} cannot be used as configured: {_CONFIGURATION_CLASSES[kind]}. "
            "Correct its URL, or the tables and privileges of its user.",
            sqlstate=state,
        )
    return None


def _passing(error: Exception, state: str, where: str) -> ApplicationError:
    if state in _RETRYABLE_STATES:
        return RetryableError(f"The database gave up: {_RETRYABLE_STATES[state]}. Nothing was written.", sqlstate=state)
    if (code := _sqlite_code(error)) is not None and code & 0xFF in _SQLITE_BUSY:
        return RetryableError("Another process holds SQLite's write lock. Nothing was written.")
    if isinstance(error, PoolTimeoutError):
        return UnavailableError(
            "No free database connection in time. Raise database.pool_size to the number of concurrent activities."
        )
    if _is_lost(error, state):
        return UnavailableError(f"The database {where} cannot be reached or went away{_why(error)}.", sqlstate=state)
    return RetryableError(f"The database failed with {type(error).__name__}.", sqlstate=state)


def _why(error: Exception) -> str:
    """Return what the operating system said of a connection that did not come about."""
    said = error.strerror if isinstance(error, OSError) else None
    return f": {said}" if said else ""


def _is_lost(error: Exception, state: str) -> bool:
    """Whether the server is gone, refuses connections or is shutting down (classes 08, 53 and 57)."""
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    return invalidated or isinstance(error, OSError) or state[:2] in _LOST_CLASSES


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
