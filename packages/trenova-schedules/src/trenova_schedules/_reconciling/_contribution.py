"""Definitions by the name of where they are: ``module:attribute``, or the entry points of installed services."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._reconciling._serving import Registrations

SCHEDULES_GROUP: Final = "trenova.schedules"
"""Entry-point group in which a service names its contribution, or a function that takes the environment (a mapping
of strings) and returns it."""


@dataclass(frozen=True, kw_only=True)
class ScheduleContribution:
    """All schedules of one owner.

    Attributes:
        owner: As in every definition; named here so that it is known also when its last definition is gone.
        definitions: All of them: what carries the owner's mark and is not among them is orphaned.
        registrations: Knows what workers register; None where only queues can be looked at.
    """

    owner: str
    definitions: Sequence[ScheduleDefinition]
    registrations: Registrations | None = None


def contributions(
    names: Sequence[str], environ: Mapping[str, str], *, owners: Iterable[str] = ()
) -> list[ScheduleContribution]:
    """Load definitions and sort them by owner.

    Args:
        names: ``module:attribute`` each: a definition, several, a contribution, or a function that takes the
            environment and returns one of these. Without any, what installed services contribute.
        environ: Given to such functions.
        owners: Only these; one of which nothing was loaded has no definitions.

    Raises:
        ConfigurationError: A name cannot be loaded or is something else, or there is nothing.
    """
    points = [_point(name) for name in names] or sorted(entry_points(group=SCHEDULES_GROUP), key=lambda one: one.name)
    by_owner: dict[str, list[ScheduleDefinition]] = defaultdict(list)
    knows: dict[str, Registrations | None] = {}
    for point in points:
        for found in _loaded(point, environ):
            by_owner[found.owner] += found.definitions
            knows[found.owner] = found.registrations or knows.get(found.owner)
    wanted = sorted(set(owners) or set(by_owner))
    if not wanted:
        raise ConfigurationError(
            f"No schedules: no installed package has an entry point in {SCHEDULES_GROUP!r}. Name where your "
            "definitions are, as module:attribute."
        )
    return [
        ScheduleContribution(owner=owner, definitions=tuple(by_owner[owner]), registrations=knows.get(owner))
        for owner in wanted
    ]


def _point(name: str) -> EntryPoint:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ConfigurationError(f"{name!r} does not say where definitions are; write module:attribute.")
    return EntryPoint(name=name, value=name, group=SCHEDULES_GROUP)


def _loaded(point: EntryPoint, environ: Mapping[str, str]) -> list[ScheduleContribution]:
    try:
        import_module(point.module)
        found = point.load()
        return _sorted(found(environ) if callable(found) else found, point.value)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"{point.value!r} cannot be loaded: {error}. Check the name, and that {sys.executable} can import it."
        ) from error
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or error.title}: {one['msg'].removeprefix('Value error, ')}"
            for one in problems
        )
        raise ConfigurationError(f"{point.value!r} has a definition that does not hold. {said}.") from error


def _sorted(found: Any, name: str) -> list[ScheduleContribution]:
    if isinstance(found, ScheduleContribution):
        return [found]
    listed = [found] if isinstance(found, ScheduleDefinition) else found
    if isinstance(listed, Iterable):
        listed = list(listed)
        if all(isinstance(one, ScheduleDefinition) for one in listed):
            owners = sorted({one.owner for one in listed})
            return [
                ScheduleContribution(owner=owner, definitions=[one for one in listed if one.owner == owner])
                for owner in owners
            ]
    raise ConfigurationError(
        f"{name!r} is {type(found).__name__}; it has to be a ScheduleDefinition, several, a ScheduleContribution, or a "
        "function that takes the environment and returns one of these."
    )
