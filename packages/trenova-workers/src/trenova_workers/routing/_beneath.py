"""Problems that problems of form would hide: the rest of the rules, looked at without what is malformed."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from trenova_workers.routing._problems import Problem, problems_in

# Taking something out may leave something else malformed, a list without items for example.
_ROUNDS: Final = 4
_DECLARES: Final = {"group": "groups", "organization_class": "classes", "urgency": "urgencies", "priority": "urgencies"}

Location = tuple[int | str, ...]


def beneath(model: type[BaseModel], data: Any, error: ValidationError, told: Sequence[Problem]) -> list[Problem]:
    """Return what does not hold together beside ``told``, the problems of form that ``error`` has.

    What follows only from having taken out what is malformed is left out.
    """
    if not isinstance(data, dict):
        return []
    rest = copy.deepcopy(data)
    for _ in range(_ROUNDS):
        details = error.errors(include_url=False)
        if all("problems" in detail.get("ctx", {}) for detail in details):
            return [one for one in problems_in(model, rest, error) if not _follows(one, told, data)]
        _take_out(rest, [(tuple(detail["loc"]), detail["type"] == "missing") for detail in details])
        try:
            model.model_validate(rest)
        except ValidationError as next_error:
            error = next_error
        else:
            break
    return []


def _take_out(rest: dict[str, Any], faults: Sequence[tuple[Location, bool]]) -> None:
    gone: set[Location] = set()
    for where, missing in faults:
        if missing and where[:1] == ("rules",) and len(where) == 3:  # noqa: PLR2004 (rules, number, key)
            index = int(where[1])
            rest["rules"][index][where[2]] = {} if where[2] == "target" else f"rule {index + 1}"
        else:
            gone.add(_reached(rest, where))
    for where in sorted(gone, key=_from_the_end, reverse=True):
        _delete(rest, where)


def _reached(rest: Any, where: Location) -> Location:
    """Return as much of ``where`` as is in the data; pydantic names more, such as the members of a union."""
    at = rest
    for n, part in enumerate(where):
        if not _has(at, part):
            return where[:n]
        at = at[part]
    return where


def _has(at: object, part: int | str) -> bool:
    if isinstance(at, dict):
        return part in at
    return isinstance(at, list) and isinstance(part, int) and part < len(at)


def _from_the_end(where: Location) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (0, str(part)) for part in where]


def _delete(data: dict[str, Any], where: Location) -> None:
    rest: Any = data
    if where and _reached(rest, where) == where:
        for part in where[:-1]:
            rest = rest[part]
        del rest[where[-1]]


def _follows(one: Problem, told: Sequence[Problem], data: Mapping[str, Any]) -> bool:
    """Whether it may be there only because something was taken out."""
    of_rule = [key for rule, key in map(_place, told) if rule == one.rule]
    if any(_within(one.key, key) or _within(key, one.key) for key in of_rule):
        return True
    declared = data.get(_DECLARES.get(one.key.rpartition(".")[2], ""), {})
    if one.what.startswith(("no such", "neither a number")) and (
        not isinstance(declared, Mapping) or one.value in declared
    ):
        return True
    if one.key == "target.overflow":
        return any(_within(key, "target") for key in of_rule)
    return one.key == "match" and any(_within(problem.key, "match") for problem in told if problem.rule)


def _place(problem: Problem) -> tuple[str, str]:
    """Return rule and key as problems of values have them: the default is like a rule of that name."""
    if not problem.rule and _within(problem.key, "default"):
        return "default", f"target{problem.key.removeprefix('default')}"
    return problem.rule, problem.key


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith(f"{section}.")
