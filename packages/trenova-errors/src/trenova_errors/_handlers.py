"""Which function a handler really is.

The SDK hands out handlers that are methods bound to the workflow: a ``functools.partial`` of those that are not
coroutines, and of coroutines a function that takes ``*args, **kwargs``, in which neither the number nor the types of
the arguments can be seen. The definition of the workflow's class still has the method itself.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from temporalio import workflow

from trenova_errors._arguments import fit

_BOUND: Final = ("temporalio.workflow", "_bind_method.<locals>.with_object")


@dataclass(frozen=True)
class Handler:
    """A handler of a signal, a query or an update.

    Args:
        fn: As it was written.
        method: Whether its first parameter is ``self``.
    """

    fn: Callable[..., Any]
    method: bool

    def fitting(self, args: Sequence[Any], subject: str) -> Sequence[Any]:
        """Return the arguments to call it with, see :func:`fit`."""
        return fit(self.fn, args, workflow.payload_converter, subject=subject, unbound=self.method)


def signal_handler(name: str) -> Handler | None:
    """Return the handler of a signal of the running workflow."""
    bound = workflow.get_signal_handler(name)
    if bound is None:
        return _written(workflow.get_dynamic_signal_handler(), _definition().signals, None)
    return _written(bound, _definition().signals, name)


def query_handler(name: str) -> Handler | None:
    """Return the handler of a query of the running workflow."""
    bound = workflow.get_query_handler(name)
    if bound is None:
        return _written(workflow.get_dynamic_query_handler(), _definition().queries, None)
    return _written(bound, _definition().queries, name)


def update_handler(name: str) -> Handler | None:
    """Return the handler of an update of the running workflow."""
    bound = workflow.get_update_handler(name)
    if bound is None:
        return _written(workflow.get_dynamic_update_handler(), _definition().updates, None)
    return _written(bound, _definition().updates, name)


def _definition() -> Any:
    return workflow._Definition.must_from_class(type(workflow.instance()))  # noqa: SLF001 - nothing public says it


def _written(bound: Callable[..., Any] | None, defined: Mapping[str | None, Any], name: str | None) -> Handler | None:
    """Return what was written; a handler that the running workflow has set by itself is what it is."""
    if bound is None:
        return None
    definition = defined.get(name)
    if definition is not None and definition.is_method and _is_binding(bound, definition.fn):
        return Handler(definition.fn, method=True)
    return Handler(bound, method=False)


def _is_binding(bound: Callable[..., Any], fn: Callable[..., Any]) -> bool:
    if isinstance(bound, functools.partial):
        return bound.func is fn
    module, name = _BOUND
    return bound.__qualname__ == name and bound.__module__.startswith(module)
