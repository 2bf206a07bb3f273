"""What can be shown of settings that do not hold: what is told, the defaults, and what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from trenova_workers._fields import Path as KeyPath
from trenova_workers._layers import Layer, merged
from trenova_workers._provenance import Setting, leaves, shown, source_of

MISSING = "missing: required, and nothing sets it"
"""Stands as source of a key that has no value."""

_UNFIT = "does not fit"
_NOTHING = object()


def describe_told(model: type[BaseModel], layers: Sequence[Layer]) -> list[Setting]:
    """Return every known key as `describe` does, without a look at whether the values hold together.

    A key that is required and not set has no value and the source `MISSING`. Unknown keys are not among them, and
    lists and mappings that do not fit their type are not shown, since nothing tells what of them is secret.
    """
    return [
        Setting(key=".".join(path), value=None, source=MISSING)
        if value is _NOTHING
        else Setting(key=".".join(path), value=shown(model, path, value), source=source_of(path, layers))
        for path, value in _below(model, merged(layers), ())
    ]


def _below(model: type[BaseModel], told: Mapping[str, Any], at: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for name, field in model.model_fields.items():
        path = (*at, name)
        section = _section(field)
        if section and (isinstance(told.get(name), Mapping) or (name not in told and field.is_required())):
            yield from _below(section, told.get(name, {}), path)
        elif name in told:
            yield from _dumped(field.annotation, told[name], path)
        elif field.is_required():
            yield path, _NOTHING
        else:
            yield from _dumped(field.annotation, field.get_default(call_default_factory=True), path)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _dumped(annotation: Any, value: Any, at: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the value as JSON has it; the dump of a model masks its secrets."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    try:
        made = adapter.validate_python(value)
        dumped = adapter.dump_python(made, mode="json")
    except ValidationError:
        yield at, _UNFIT if isinstance(value, Mapping | list | tuple) else value
        return
    if isinstance(made, BaseModel):
        yield from leaves(made, dumped, at)
    else:
        yield at, dumped
