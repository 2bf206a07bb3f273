"""The root of all errors: what an exception has to carry so that the decision survives the wire."""

import math
import pickle
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, TypeAlias

import temporalio.exceptions
from temporalio.exceptions import ApplicationErrorCategory

from trenova_errors._kinds import ErrorKind

Fact: TypeAlias = str | int | float | bool | None
"""A value that may travel beside a message: small, and never a secret or a payload."""

_MAX_FACT_LENGTH = 500


class ApplicationError(temporalio.exceptions.ApplicationError):
    """An error whose class says what failed and whether a retry can help.

    On the wire the failure's ``type`` is ``kind``, its details are one object
    ``{"code": ..., "facts": {...}}``, and it is non-retryable where the kind is permanent. A subclass sets
    ``kind``, and ``code`` where something finer than the kind helps; one that sets a kind and no code has
    the kind as its code.

    Args:
        message: What was wrong, what was there, what to do. Never a secret or a payload.
        retry_after: The least delay before the next attempt, in place of the one that the retry policy
            computes. The server rounds fractions of a second up.
        facts: Names and small values for programs; a string is cut at 500 characters.

    Raises:
        TypeError: ``retry_after`` is no ``timedelta``.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.RETRYABLE
    code: ClassVar[str] = ErrorKind.RETRYABLE.value

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__ and "code" not in cls.__dict__:
            cls.code = cls.kind.value

    def __init__(self, message: str, /, *, retry_after: timedelta | None = None, **facts: Fact) -> None:
        if retry_after is not None and not isinstance(retry_after, timedelta):
            wrong = f"retry_after={retry_after!r} is no timedelta. Pass timedelta(seconds=...), from datetime."
            raise TypeError(wrong)
        self._facts = {name: _fact(value) for name, value in facts.items()}
        user = self.kind.caused_by_user
        super().__init__(
            message,
            {"code": self.code, "facts": self._facts},
            type=self.kind.value,
            non_retryable=self.kind.permanent or self.kind is ErrorKind.AMBIGUOUS,
            next_retry_delay=retry_after,
            category=ApplicationErrorCategory.BENIGN if user else ApplicationErrorCategory.UNSPECIFIED,
        )

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Names and small values for programs, as they travel in the details."""
        return self._facts

    def wait(self, delay: timedelta) -> None:
        """Ask for this delay before the next attempt, in place of what was asked for before."""
        self._next_retry_delay = delay

    def add_facts(self, **facts: Fact) -> None:
        """Add to the facts what was learnt after the error was made."""
        self._facts.update({name: _fact(value) for name, value in facts.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by calling __init__, so that a subclass may take what arguments it likes.
        state = {
            **self.__dict__,
            "__cause__": _portable(self.__cause__),
            "__suppress_context__": self.__suppress_context__,
        }
        return _bare, (type(self), self.args), state


def _bare(cls: type[ApplicationError], args: tuple[Any, ...]) -> ApplicationError:
    return cls.__new__(cls, *args)


def _portable(cause: BaseException | None) -> BaseException | None:
    """Return the cause, or what the wire would keep of it where it does not survive pickling."""
    try:
        pickle.loads(pickle.dumps(cause))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - pickling runs code of others, which may raise anything
        return temporalio.exceptions.ApplicationError(str(cause), type=type(cause).__name__)
    return cause


def _fact(value: Any) -> Fact:
    """Return the value as JSON can carry it, whatever a caller without a type checker passed."""
    if isinstance(value, str):
        return value[:_MAX_FACT_LENGTH]
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)[:_MAX_FACT_LENGTH]
