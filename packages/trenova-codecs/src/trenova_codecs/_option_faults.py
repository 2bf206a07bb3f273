"""What is wrong with an option, in words for who set it."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_OURS: Final = "Value error, "
"""What pydantic puts before the message of a validator."""


def fault(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Say what is wrong, without what was given: an unknown name comes with those that are known there."""
    if detail["type"] == "union_tag_invalid":  # its message repeats what was given
        return f"must be one of {detail['ctx']['expected_tags']}"
    if detail["type"] != "extra_forbidden":
        return detail["msg"].removeprefix(_OURS)
    *path, name = detail["loc"]
    known = sorted({field for one in _models_at(model, path) for field in one.model_fields})
    near = get_close_matches(str(name), known, n=1)
    return f"there is no such option; {f'did you mean {near[0]!r}?' if near else 'known there: ' + ', '.join(known)}"


def _models_at(model: type[BaseModel], path: Sequence[int | str]) -> list[type[BaseModel]]:
    """Return the models that stand at a path; a part that names no field is a tag, an index or a key."""
    found = [model]
    for part in path:
        fields = [one.model_fields[str(part)] for one in found if str(part) in one.model_fields]
        if fields:
            found = [inner for field in fields for inner in _models_in(field.annotation)]
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
