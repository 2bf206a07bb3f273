"""Find the workflows that histories are replayed with."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from temporalio import workflow

from trenova_errors import ConfigurationError, InvalidInputError
from trenova_errors.connecting import installed

_OWN = "trenova_activities"
_INSTALLED = "trenova.workflows"


def find_workflows(modules: Sequence[str]) -> dict[str, type]:
    """Return the workflows that are installed and those of the modules, by wire name; a later one counts.

    Installed are those of this package, and each class that a package names as an entry point of the group
    ``trenova.workflows``, as trenova-schedules does with its backfill.

    Args:
        modules: Names of modules, ``package.module``.

    Raises:
        InvalidInputError: A module cannot be imported, or has no workflow.
        ConfigurationError: So it is with what a package names.
    """
    found = dict(_of(import_module(_OWN)))
    for name, one in installed(_INSTALLED).items():
        named = dict(_named(one))
        if not named:
            raise ConfigurationError(f"The entry point {name!r} of {_INSTALLED} is no class with @workflow.defn.")
        found |= named
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
        yield from _named(getattr(module, name))


def _named(one: Any) -> Iterator[tuple[str, type]]:
    """The class under the name of its type, if it is a workflow of one type."""
    definition = workflow._Definition.from_class(one) if isinstance(one, type) else None  # noqa: SLF001 - nothing public says it
    if definition is not None and definition.name is not None:
        yield definition.name, one
