"""What a type of exception means, found by the names in its method resolution order."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from trenova_errors import _table_types, _table_types_aws, _table_types_network
from trenova_errors._attribute import attribute
from trenova_errors._decision import Decision, rows

_WRAPPER: Final = "*"
_MANY: Final = 4096
Answer = TypeVar("Answer")


def _per_class(fn: Callable[[type], Answer]) -> Callable[[type], Answer]:
    """Remember the answer for each class, of which a process meets few."""
    return lru_cache(maxsize=_MANY)(fn)


@_per_class
def qualified_name(cls: type) -> str:
    """Return the name under which the tables and rules know a class: ``temporalio.client.WorkflowFailureError``.

    Private modules on the way (``temporalio.client._exceptions``) are left out, because a release of the library
    may move a class between them; one that is written in C stands for its public twin (``_pickle``).
    """
    module = attribute(cls, "__module__")
    parts = module.split(".") if isinstance(module, str) else ["builtins"]
    public = [part for part in parts if not part.startswith("_") or part == "__main__"]
    return ".".join((*(public or [parts[0].lstrip("_")]), cls.__qualname__))


@_per_class
def names_of(cls: type) -> frozenset[str]:
    """Return the qualified names of a class and of its bases."""
    return frozenset(map(qualified_name, cls.__mro__))


NO_FAILURES: Final = {
    "asyncio.exceptions.CancelledError": "cancelled",
    "concurrent.futures.CancelledError": "cancelled",
    "temporalio.exceptions.CancelledError": "cancelled",
    "temporalio.client.AsyncActivityCancelledError": "cancelled",
    "temporalio.workflow.ContinueAsNewError": "continued_as_new",
    "temporalio.client.WorkflowContinuedAsNewError": "continued_as_new",
    "temporalio.activity._CompleteAsyncError": "completes_elsewhere",
    "builtins.KeyboardInterrupt": "interrupted",
    "builtins.SystemExit": "interrupted",
    "builtins.GeneratorExit": "interrupted",
}
"""What is no error at all, by qualified name, and the code it gets."""

_BUGS: Final = frozenset(
    f"builtins.{name}"
    for name in (
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "BufferError",
        "LookupError",
        "NameError",
        "NotImplementedError",
        "RecursionError",
        "ReferenceError",
        "SyntaxError",
        "TypeError",
    )
)


def _types() -> dict[str, tuple[Decision, bool]]:
    found: dict[str, tuple[Decision, bool]] = {}
    for table in (*_table_types.TABLES, *_table_types_network.TABLES, *_table_types_aws.TABLES):
        for key, decision in rows(table):
            name = key.removesuffix(_WRAPPER)
            if name in found:
                message = f"{name} stands in two tables."
                raise ValueError(message)
            found[name] = (decision, key.endswith(_WRAPPER))
    return found


TYPES: Final = _types()
"""Decision, and whether the type is only a wrapper, by the qualified name of the class."""


@_per_class
def type_decision(cls: type) -> tuple[str, Decision, bool] | None:
    """Return the nearest entry of a class: its name, the decision, and whether it is a wrapper."""
    for base in cls.__mro__:
        name = qualified_name(base)
        if name in TYPES:
            return (name, *TYPES[name])
    return None


@_per_class
def no_failure(cls: type) -> str | None:
    """Return the code of what is no error, e.g. ``cancelled``; None for an error."""
    return next((code for base in cls.__mro__ if (code := NO_FAILURES.get(qualified_name(base)))), None)


@_per_class
def is_bug(cls: type) -> bool:
    """Whether Python raises it for a mistake in code, so that what was being handled meanwhile did not cause it."""
    return any(qualified_name(base) in _BUGS for base in cls.__mro__)
