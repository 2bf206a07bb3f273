"""Find the workflows that histories are replayed with."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from temporalio import workflow

from trenova_errors import InvalidInputError

_OWN = "trenova_activities"


def find_workflows(modules: Sequence[str]) -> dict[str, type]:
    """Return the workflows of this package and of the modules, by wire name; a later one takes an earlier one's place.

    Args:
        modules: Names of modules, ``package.module``.

    Raises:
        InvalidInputError: A module cannot be imported, or has no workflow.
    """
    found = dict(_of(import_module(_OWN)))
    for name in modules:
        try:
            own = dict(_of(import_module(name)))
        except ImportError as error:
            raise InvalidInputError(
                f"The module {name!r} cannot be imported: {error}. Name one that is installed, or is in this folder."
            ) from error
        if not own:
            raise InvalidInputError(f"The module {name!r} has no class with @workflow.defn; name the one that has.")
        found |= own
    return found


def _of(module: Any) -> Iterator[tuple[str, type]]:
    for name in getattr(module, "__all__", None) or dir(module):
        one = getattr(module, name)
        if not isinstance(one, type):
            continue
        definition = workflow._Definition.from_class(one)  # noqa: SLF001 - nothing public says it
        if definition is not None and definition.name is not None:
            yield definition.name, one
