"""Walks the fields of nested settings models."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

Path = tuple[str, ...]


def field_at(model: type[BaseModel], path: Sequence[str]) -> Any:
    """Return the annotation of the field at ``path``, or None where no model describes it."""
    if not path:
        return model
    field = model_field_at(model, path)
    return field.annotation if field else None


def model_field_at(model: type[BaseModel], path: Sequence[str]) -> FieldInfo | None:
    """Return the field at ``path``, or None where no model describes it."""
    annotation: Any = model
    field: FieldInfo | None = None
    for key in path:
        field = next((m.model_fields[key] for m in _models(annotation) if key in m.model_fields), None)
        if field is None:
            return None
        annotation = field.annotation
    return field


def tags_at(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the tags that tell the models of a discriminated union at ``path`` apart."""
    return [str(tag) for m in _models(field_at(model, path)) for tag in _tags(m)]


def keys_at(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the names of the fields of the models at ``path``."""
    return [key for m in _models(field_at(model, path)) for key in m.model_fields]


def required_at(model: type[BaseModel], path: Path) -> list[Path]:
    """Return the paths of the required fields at and below ``path``; ``path`` itself if it is no model."""
    below = [(name, field) for m in _models(field_at(model, path)) for name, field in m.model_fields.items()]
    needed = [leaf for name, field in below if field.is_required() for leaf in required_at(model, (*path, name))]
    return needed or [path]


def without_tags(model: type[BaseModel], path: Sequence[str]) -> Path:
    """Return the path as settings write it: pydantic puts the tag of a discriminated union between its keys."""
    kept: list[str] = []
    for key in path[:-1]:
        models = list(_models(field_at(model, kept)))
        if any(key in m.model_fields for m in models) or not any(key in _tags(m) for m in models):
            kept.append(key)
    return (*kept, *path[-1:])


def _tags(model: type[BaseModel]) -> set[Any]:
    fields = model.model_fields.values()
    return {tag for field in fields if get_origin(field.annotation) is Literal for tag in get_args(field.annotation)}


def nearest(key: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known key that is spelt most like ``key``, if any is near; 1 is spelt the same."""
    found = difflib.get_close_matches(key, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def takes_text(annotation: Any) -> bool:
    """Whether a string is a value of this type, so that ``[x]`` may mean the text itself."""
    return any(a in (str, SecretStr, SecretBytes, bytes, Any) for a in _members(annotation))


def takes_none(annotation: Any) -> bool:
    """Whether None is a value of this type."""
    return any(a in (None, NoneType) for a in _members(annotation))


def is_secret(annotation: Any) -> bool:
    """Whether values of this type must not be shown."""
    return any(a in (SecretStr, SecretBytes) for a in _members(annotation))


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member
