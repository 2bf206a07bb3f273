"""What a failure of the database means for whoever asked; ``trenova_errors.classify`` decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from trenova_errors import Classification, ErrorKind, Rule, RuleSet, classify, sending, to_error

_MESSAGES = {
    ErrorKind.RETRYABLE: "The store gave up, and nothing was written. {reason}",
    ErrorKind.UNAVAILABLE: "The store {where} cannot be reached or went away. {reason}",
    ErrorKind.AMBIGUOUS: (
        "The connection to the store was lost during a commit, so it is unknown whether it took effect. "
        "Read back before deciding."
    ),
    ErrorKind.DATA_INTEGRITY: "The store refused the rows, and nothing was written. {reason}",
    ErrorKind.INVALID_INPUT: "A value does not fit its column, and nothing was written. {reason}",
    ErrorKind.CONFIGURATION: (
        "The store {where} cannot be used as configured. {reason} Correct its URL or the privileges of its user, "
        "or run '{migrate}'."
    ),
}
_NO_CONNECTION_FREE = "No free connection to the store in time. Raise pool_size, or ask for less at once."


class StoreDriverError(Exception):
    """What the driver raised, by its type alone: its own text repeats statements and rows."""


@asynccontextmanager
async def translated(where: str, migrate: str, *, committing: bool = False) -> AsyncIterator[None]:
    """Turn driver exceptions of the block into typed errors.

    Args:
        where: The database, for messages; never with a password (``StoreOptions.place``).
        migrate: The command that makes the tables, for the message that they are not as they should be.
        committing: The block is a COMMIT, so a lost connection leaves the outcome unknown.

    Raises:
        ApplicationError: Of the kind that was decided; its cause is a :class:`StoreDriverError`.
    """
    try:
        with sending("COMMIT") if committing else nullcontext():
            yield
    except Exception as error:
        if not is_of_database(error):
            raise
        found = classified(error, committing=committing)
        say = _MESSAGES.get(found.kind, "The store {where} failed. {reason}")
        if isinstance(error, PoolTimeoutError):
            say = _NO_CONNECTION_FREE
        original = getattr(error, "orig", None) or error
        named = f"{type(original).__module__}.{type(original).__qualname__}"
        message = say.format(where=where, reason=found.reason, migrate=migrate)
        raise to_error(found, message) from StoreDriverError(named)


def is_of_database(error: Exception) -> bool:
    """Whether a driver, SQLAlchemy or the way to the server raised it."""
    # asyncpg's own exceptions escape bare while connecting; their mark is the SQLSTATE.
    return isinstance(error, (SQLAlchemyError, OSError, OverflowError)) or hasattr(error, "sqlstate")


def classified(error: Exception, *, committing: bool = False) -> Classification:
    """Return what ``trenova_errors.classify`` decides about a failure of a database.

    Args:
        error: One that :func:`is_of_database`.
        committing: It was met by a COMMIT, so that a lost connection leaves the outcome unknown.
    """
    return classify(error, rules=_COMMIT_RULES if committing else _RULES)


def _invalidated(error: BaseException) -> bool:
    """Whether SQLAlchemy gave the connection up, which some drivers report without a code."""
    return getattr(error, "connection_invalidated", False) is True


def _rules(lost: ErrorKind) -> RuleSet:
    return RuleSet(
        [
            Rule(name="connection_invalidated", kind=lost, types=(DBAPIError,), when=_invalidated),
            Rule(name="number_too_large", kind=ErrorKind.INVALID_INPUT, types=(OverflowError,)),
        ]
    )


_RULES, _COMMIT_RULES = _rules(ErrorKind.UNAVAILABLE), _rules(ErrorKind.AMBIGUOUS)
