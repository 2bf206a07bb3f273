"""Which value is in force and where it came from, secrets masked."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from pydantic import BaseModel

from trenova_workers._fields import Path as KeyPath
from trenova_workers._fields import field_at, is_secret
from trenova_workers._layers import Layer

MASK = "**********"
"""Stands where a secret was; as long as pydantic's own, so its length tells nothing."""

# user:password@ in a URL; greedy, because a password may itself hold an unescaped @ or /.
_URL_PASSWORD = re.compile(r"(://[^:/?#@\s]*:)\S*(?=@)")
# password=... as in a query string or a libpq connection string.
_NAMED_SECRET = re.compile(r"(?i)((?:password|passwd|pwd|secret|token|api_?key)[a-z0-9_-]*\s*=\s*)[^\s&;]+")
_SECRET_KEY = re.compile(r"(?i)(^|_)(password|passwd|secret|token|api_key|private_key)$")


class Setting(TypedDict):
    """One effective value, as ``config show --json`` prints it."""

    key: str
    value: Any
    source: str


def masked_text(text: str) -> str:
    """Mask passwords in URLs and connection strings."""
    return _NAMED_SECRET.sub(rf"\g<1>{MASK}", _URL_PASSWORD.sub(rf"\g<1>{MASK}", text))


def masked(value: Any) -> Any:
    """Mask passwords in every text of a JSON value, and whatever stands under a secret's name."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, dict):
        return {k: MASK if _SECRET_KEY.search(str(k)) and v else masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v) for v in value]
    return value


def shown(model: type[BaseModel], path: Sequence[str], value: Any) -> Any:
    """Return what may be shown of the value at ``path``: all, part or a mask."""
    if value is None or not path:
        return masked(value)
    # Every level, because below a union pydantic adds levels that are no fields.
    levels = range(1, len(path) + 1)
    if any(_SECRET_KEY.search(path[n - 1]) or is_secret(field_at(model, path[:n])) for n in levels):
        return MASK
    return masked(value)


def describe(settings: BaseModel, layers: Sequence[Layer]) -> list[Setting]:
    """Return every leaf with its source. Lists and free mappings are leaves."""
    model = type(settings)
    dumped = settings.model_dump(mode="json")
    return [
        Setting(key=".".join(path), value=shown(model, path, value), source=source_of(path, layers))
        for path, value in leaves(settings, dumped, ())
    ]


def leaves(settings: BaseModel, dumped: dict[str, Any], at: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every leaf below ``at`` with its value as JSON has it."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, dumped[name], (*at, name))
        else:
            yield (*at, name), dumped[name]


def source_of(path: KeyPath, layers: Sequence[Layer]) -> str:
    """Return the name of what gave the value at ``path``, ``default`` if nothing did."""
    for layer in reversed(layers):
        origin = layer.origin(path)
        if origin is not None:
            return origin
    return "default"
