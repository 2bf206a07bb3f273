"""What a failure of the database means for whoever asked; ``trenova_errors.classify`` decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from trenova_errors import ErrorKind, Rule, RuleSet, classify, sending, to_error

_MESSAGES = {
    ErrorKind.RETRYABLE: "The store of pools gave up, and nothing was written. {reason}",
    ErrorKind.UNAVAILABLE: "The store {where} cannot be reached or went away. {reason}",
    ErrorKind.AMBIGUOUS: (
        "The connection to the store was lost during a commit, so it is unknown whether it took effect. "
        "Read back before deciding."
    ),
    ErrorKind.DATA_INTEGRITY: "The store refused the rows, and nothing was written. {reason}",
    ErrorKind.INVALID_INPUT: "A value does not fit its column, and nothing was written. {reason}",
    ErrorKind.CONFIGURATION: (
        "The store {where} cannot be used as configured. {reason} Correct its URL or the privileges of its user, "
        "or run 'trenova-workers db migrate'."
    ),
}
_NO_CONNECTION_FREE = "No free connection to the store in time. Raise pool_size, or ask for less at once."


class StoreDriverError(Exception):
    """What the driver raised, by its type alone: its own text repeats statements and rows."""


@asynccontextmanager
async def translated(where: str, *, committing: bool = False) -> AsyncIterator[None]:
    """Turn driver exceptions of the block into typed errors.

    Args:
        where: The database, for messages; never with a password.
        committing: The block is a COMMIT, so a lost connection leaves the outcome unknown.

    Raises:
        ApplicationError: Of the kind that was decided.
    """
    try:
        with sending("COMMIT") if committing else nullcontext():
            yield
    except Exception as error:
        # asyncpg's own exceptions escape bare while connecting; their mark is the SQLSTATE.
        if not isinstance(error, (SQLAlchemyError, OSError, OverflowError)) and not hasattr(error, "sqlstate"):
            raise
        found = classify(error, rules=_COMMIT_RULES if committing else _RULES)
        say = _MESSAGES.get(found.kind, "The store {where} failed. {reason}")
        if isinstance(error, PoolTimeoutError):
            say = _NO_CONNECTION_FREE
        original = getattr(error, "orig", None) or error
        named = f"{type(original).__module__}.{type(original).__qualname__}"
        raise to_error(found, say.format(where=where, reason=found.reason)) from StoreDriverError(named)


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
