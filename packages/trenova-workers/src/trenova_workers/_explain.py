"""Turns a validation error into one message that names the source, the key and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trenova_errors import ConfigurationError
from trenova_workers._fields import keys_at, nearest
from trenova_workers._layers import Layer
from trenova_workers._provenance import masked_text, shown


def explain(model: type[BaseModel], error: ValidationError, layers: Sequence[Layer]) -> ConfigurationError:
    """Describe every fault, one a line when there are several. Values of secret fields stay out."""
    lines = [_line(model, detail, layers) for detail in error.errors(include_url=False)]
    return ConfigurationError("\n".join(["The settings do not hold:", *lines]) if len(lines) > 1 else lines[0])


def _line(model: type[BaseModel], detail: ErrorDetails, layers: Sequence[Layer]) -> str:
    path = tuple(str(part) for part in detail["loc"])
    key = ".".join(path)
    source = next((o for layer in reversed(layers) if path and (o := layer.origin(path))), None)
    where = f"{source}: " if source else ""
    if detail["type"] == "extra_forbidden":
        known = keys_at(model, path[:-1])
        near = nearest(path[-1], known)
        hint = f"Did you mean {'.'.join((*path[:-1], near))!r}?" if near else f"Known there: {', '.join(known)}."
        return f"{where}unknown key {key!r}. {hint}"
    if detail["type"] == "missing":
        return f"{key!r} is required and nothing sets it. Set it in a file, the environment or with --set."
    said = masked_text(detail["msg"])
    got = shown(model, path, detail["input"])
    there = "" if isinstance(got, Mapping) or not path else f", got {_short(got)}"
    return f"{where}{key or 'settings'!r}: {said}{there}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 (one line of a terminal)
