"""What is wrong with rules: each problem names its rule, key, value and cure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trenova_workers._fields import keys_at, nearest

_SHORT: Final = 60

_CURES: Final = {
    "missing": "Add it.",
    "routing_priority": "1 runs first, 5 last.",
    "string_too_short": "Write a name.",
    "string_too_long": "Shorten it.",
    "string_type": "Write text, in quotes if it looks like a number.",
    "greater_than_equal": "Raise it.",
    "greater_than": "Raise it.",
    "less_than_equal": "Lower it.",
    "less_than": "Lower it.",
    "finite_number": "Write a number.",
    "literal_error": "Write one of those.",
    "too_short": "Name at least one.",
    "tuple_type": "Write a list: [a, b].",
    "frozen_set_type": "Write a list: [a, b].",
    "dict_type": "Write keys and values: {a: b}.",
    "model_type": "Write keys and values below it.",
}


@dataclass(frozen=True)
class Problem:
    """One fault: ``what`` ends without a full stop, ``cure`` is a sentence."""

    rule: str
    """Name of the rule, ``rule 3`` where it has none, empty outside of rules."""
    key: str
    value: Any
    what: str
    cure: str

    def __str__(self) -> str:
        place = f"rule {self.rule!r}: " if self.rule else ""
        return f"{place}{self.key!r} is {_brief(self.value)}: {self.what}. {self.cure}"


def in_words(problems: Sequence[Problem], source: str = "") -> str:
    """Return one line for each, with the file that it is in."""
    return "\n".join(f"{source}: {problem}" if source else str(problem) for problem in problems)


def problems_in(model: type[BaseModel], data: Any, error: ValidationError) -> list[Problem]:
    """Return what pydantic found, in the words of this package.

    Args:
        model: The rules' class, for the keys that it knows.
        data: What was validated, for the names of rules.
        error: What pydantic raised.
    """
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        inner = detail.get("ctx", {}).get("problems")
        found += inner or [_problem(model, data, detail)]
    return found


def _problem(model: type[BaseModel], data: Any, detail: ErrorDetails) -> Problem:
    where = list(detail["loc"])
    rule = ""
    if where[:1] == ["rules"] and len(where) > 1 and isinstance(where[1], int):
        rule = _rule_name(data, where[1])
        path = where[2:]
    else:
        path = where
    key = ".".join(str(part) for part in path) or "the file"
    if detail["type"] == "extra_forbidden":
        return Problem(rule, key, detail["input"], "this key is not known", _spelling(model, where))
    value = None if detail["type"] == "missing" else detail["input"]
    return Problem(rule, key, value, detail["msg"], _CURES.get(detail["type"], "Correct it."))


def _spelling(model: type[BaseModel], where: Sequence[int | str]) -> str:
    rules = where[0] == "rules" and len(where) > 2  # noqa: PLR2004 (rules, number, key)
    named = where[0] == "classes"
    path = [str(part) for part in where[:-1]]
    if rules or named:
        from trenova_workers.routing import _rules

        model = _rules.Rule if rules else _rules.OrganizationClass
        path = path[2:]
    known = keys_at(model, path) if path else list(model.model_fields)
    near = nearest(str(where[-1]), known)
    return f"Did you mean {near!r}?" if near else f"Known there: {', '.join(known)}."


def _rule_name(data: Any, index: int) -> str:
    try:
        return str(data["rules"][index]["name"])
    except (KeyError, IndexError, TypeError):
        return f"rule {index + 1}"


def _brief(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
