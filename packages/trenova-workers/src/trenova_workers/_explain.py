"""Turns a validation error into one message that names the source, the key and what to do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trenova_errors import ConfigurationError
from trenova_workers._fields import is_secret, keys_at, model_field_at, nearest, required_at, tags_at, without_tags
from trenova_workers._layers import SHARED_PREFIX, Layer
from trenova_workers._provenance import masked_text, shown
from trenova_workers._tuning._impossible import IMPOSSIBLE


def explain(model: type[BaseModel], error: ValidationError, layers: Sequence[Layer]) -> ConfigurationError:
    """Describe every fault, one a line when there are several. Values of secret fields stay out."""
    lines = [_line(model, detail, layers) for detail in error.errors(include_url=False)]
    return ConfigurationError("\n".join(["The settings do not hold:", *lines]) if len(lines) > 1 else lines[0])


def told(source: str | None, key: str, said: str, got: Any, fix: str = "") -> str:
    """Return the one line of a fault, ``<source>: '<key>': <said>, got <value>. <fix>``, with a full stop."""
    where = f"{source}: " if source else ""
    value = "" if got is None else f", got {_short(got)}"
    return f"{where}{key!r}: {said}{value}." + (f" {fix}." if fix else "")


def _line(model: type[BaseModel], detail: ErrorDetails, layers: Sequence[Layer]) -> str:
    context = detail.get("ctx", {}) if detail["type"] == IMPOSSIBLE else {}
    below = context["key"].split(".") if context else []
    path = without_tags(model, [*(str(part) for part in detail["loc"]), *below])
    key = ".".join(path) or "settings"
    source = next((o for layer in reversed(layers) if path and (o := layer.origin(path))), None)
    where = f"{source}: " if source else ""
    if context:
        source = source or _around(path, layers)
        return told(source, key, context["said"], shown(model, path, context["value"]), context["fix"])
    if detail["type"] == "extra_forbidden":
        known = keys_at(model, path[:-1])
        near = nearest(path[-1], known)
        hint = f"Did you mean {'.'.join((*path[:-1], near))!r}?" if near else f"Known there: {', '.join(known)}."
        return f"{where}unknown key {key!r}. {hint}"
    if detail["type"] == "missing":
        return " ".join(_required(model, leaf) for leaf in required_at(model, path))
    if detail["type"] == "union_tag_not_found":
        tag = detail["ctx"]["discriminator"].strip("'")
        return f"{where}{f'{key}.{tag}'!r} is missing beside the others. Set it to {_either(tags_at(model, path))}."
    said = masked_text(detail["msg"].removeprefix("Value error, "))
    got = shown(model, path, detail["input"])
    return told(source, key, said, None if isinstance(got, Mapping) or not path else got, _default(model, path))


def _around(path: Sequence[str], layers: Sequence[Layer]) -> str | None:
    """Return what gave the section that lacks a key."""
    parent = tuple(path[:-1])
    return next((o for layer in reversed(layers) if parent and (o := layer.origin(parent))), None)


def _default(model: type[BaseModel], path: Sequence[str]) -> str:
    """Say what a plain key is by default, for whoever does not know what to write."""
    field = model_field_at(model, path)
    if field is None or is_secret(field.annotation) or not isinstance(field.default, int | float | str):
        return ""
    return f"The default is {json.dumps(field.default)}"


def _either(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)


def _required(model: type[BaseModel], path: Sequence[str]) -> str:
    """Say that a key is missing and which variables, flag or file sets it."""
    key, variable = ".".join(path), "__".join(path).upper()
    prefixes = dict.fromkeys((SHARED_PREFIX, str(model.model_config.get("env_prefix", ""))))
    variables = " or ".join(f"{prefix}{variable}" for prefix in prefixes if prefix)
    return f"{key!r} is required and nothing sets it. Set {variables}, --set {key}=..., or write it in a file."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 (one line of a terminal)
