"""Saying what is wrong with an input without repeating it.

The text is built from pydantic's own messages, which speak of what is expected. Messages that can hold what
was given are replaced (``_QUIET``); in texts that the authors of a model wrote in their validators, the
rejected value is blotted out wherever it is at least four characters long. What such a text says beyond the
value itself is the responsibility of the model's authors.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, get_args

try:
    from pydantic_core import ValidationError
    from pydantic_core.core_schema import ErrorType
except ImportError:
    VALIDATION_ERRORS: tuple[type[Exception], ...] = ()
    _BUILT_IN: frozenset[str] = frozenset()
else:
    VALIDATION_ERRORS = (ValidationError,)
    _BUILT_IN = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}

_QUIET = {
    "get_attribute_error": "An attribute cannot be read",
    "iteration_error": "Input cannot be iterated over",
    "mapping_type": "Input should be a valid mapping",
    "union_tag_invalid": "Input tag does not match any of the expected tags",
    "uuid_parsing": "Input should be a valid UUID",
}
_MAX_PROBLEMS = 10
_MAX_PART = 64
_MAX_MESSAGE = 200
_MAX_VALUES = 1000
_MIN_VALUE = 4


def describe(error: Any) -> str:
    """Return ``field.path: message`` for each problem of a pydantic ``ValidationError``, joined by ``; ``.

    Paths use the names on the wire (aliases); at most 10 problems are written out, each with at most 200
    characters.
    """
    problems = error.errors(include_url=False, include_context=False)
    shown = [_problem(problem) for problem in problems[:_MAX_PROBLEMS]]
    if len(problems) > _MAX_PROBLEMS:
        shown.append(f"and {len(problems) - _MAX_PROBLEMS} more")
    return "; ".join(shown)


def _problem(problem: Mapping[str, Any]) -> str:
    path = ".".join(_part(part) for part in problem["loc"])
    message = _QUIET.get(problem["type"]) or problem["msg"]
    if problem["type"] not in _BUILT_IN:
        message = _blot(message, problem["input"])
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}..."
    return f"{path}: {message}" if path else message


def _part(part: str | int) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= _MAX_PART else "*"


def _blot(message: str, given: Any) -> str:
    values = {str(value) for value in islice(_leaves(given), _MAX_VALUES)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _MIN_VALUE:
            message = message.replace(value, "<value>")
    return message


def _leaves(given: Any) -> Iterator[Any]:
    waiting = [given]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, Sequence) and not isinstance(item, str | bytes):
            waiting.extend(item)
        elif hasattr(type(item), "__pydantic_fields__"):
            waiting.extend(vars(item).values())
        elif not isinstance(item, bool | None):
            yield item
