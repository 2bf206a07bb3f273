"""What a log line may say of an exception: names of types and places in code, never a message or a value.

A message, a fact or a cause can hold whatever the program worked on. The text of a failure is in Temporal's
history, where the payload codec and the permissions of the namespace apply to it.
"""

import traceback
from collections.abc import Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Final

from trenova_errors._chain import chain

_MAX_CHAIN: Final = 10
_MAX_FRAMES: Final = 20
_MAX_ID: Final = 100
_ORGANIZATION: Final = ("organization_id", "organizationId")
# Their messages are written by the SDK, about code.
_SPEAKING: Final = ("temporalio.workflow", "temporalio.worker.workflow_sandbox")


def name_of(cls: type) -> str:
    """Return the name under which people know a class."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def chain_of(error: BaseException) -> list[BaseException]:
    """Return the exception and what caused it, at most ten, outermost first; a cycle ends it."""
    return list(islice(chain(error), _MAX_CHAIN))


def types_of(error: BaseException) -> str:
    """Return ``UnavailableError <- OperationalError <- ConnectionRefusedError``."""
    return " <- ".join(type(link).__qualname__ for link in chain_of(error))


def stack_of(error: BaseException) -> list[str]:
    """Return where the innermost cause was raised, ``module:line function``, innermost last, at most 20."""
    for link in reversed(chain_of(error)):
        if link.__traceback__ is not None:
            return _frames(link.__traceback__)
    return []


def _frames(tb: TracebackType) -> list[str]:
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}" for frame, line in traceback.walk_tb(tb)
    ]
    return frames[-_MAX_FRAMES:]


def said_by_sdk(error: BaseException) -> str | None:
    """Return the message where it was the SDK that wrote it, about code: a sandbox restriction, for instance."""
    module = type(error).__module__
    return str(error) if any(module == own or module.startswith(f"{own}.") for own in _SPEAKING) else None


def organization_of(args: Sequence[Any], fairness_key: str | None = None) -> str | None:
    """Return the organization for which the work is done, from its first arguments or its fairness key."""
    for arg in args[:3]:
        for name in _ORGANIZATION:
            value = arg.get(name) if isinstance(arg, Mapping) else getattr(arg, name, None)
            if isinstance(value, str) and value:
                return value[:_MAX_ID]
    return fairness_key[:_MAX_ID] if fairness_key else None
