"""One source of settings each: a YAML file, the variables with one prefix, the flags."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from trenova_errors import ConfigurationError
from trenova_workers._fields import Path as KeyPath
from trenova_workers._fields import field_at, keys_at, nearest, takes_none, takes_text
from trenova_workers._yaml import StrictLoader, not_yaml

SHARED_PREFIX = "TRENOVA_"
"""Environment variables with this prefix apply to every service of a machine."""

_EXAMPLES = {"[": '["a", "b"]', "{": '{"key": "value"}'}

# What Kubernetes sets in every pod for a Service called like ours; no settings of ours.
_SERVICE_LINK = re.compile(r"(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


@dataclass(frozen=True)
class Layer:
    """Nested values and the name of where they came from."""

    name: str
    values: Mapping[str, Any]
    names: Mapping[KeyPath, str] = field(default_factory=dict)
    """A finer name for some keys, e.g. the environment variable."""

    def origin(self, path: KeyPath) -> str | None:
        """Return what gave the value at ``path`` (or a value around or below it), if this layer did."""
        value: Any = self.values
        for key in path:
            if not isinstance(value, Mapping):
                break
            if key not in value:
                return None
            value = value[key]
        around = [self.names[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.names]
        below = [name for known, name in self.names.items() if known[: len(path)] == path]
        return (around or below or [self.name])[0]


def merged(layers: Iterable[Layer]) -> dict[str, Any]:
    """Merge the values of layers; of two that give the same key the later one wins."""
    result: dict[str, Any] = {}
    for layer in layers:
        _merge(result, layer.values)
    return result


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        there = into.get(key)
        if isinstance(value, Mapping):
            target = dict(there) if isinstance(there, Mapping) else {}
            _merge(target, value)
            into[key] = target
        else:
            into[key] = value


def yaml_layer(model: type[BaseModel], path: Path, *, required: bool) -> Layer:
    """Read a YAML file that somebody named; one that is not required is a service's own, and may be absent."""
    name = _as_given(path) if required else f"{path.parent.name}/{path.name}"
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        if required:
            raise ConfigurationError(f"The file {str(path)!r} does not exist. Correct --config.") from None
        return Layer(name, {})
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{name} is not UTF-8: byte {error.object[error.start]:#04x} at position {error.start}. Save it as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{name} cannot be read: {error.strerror} ({str(path)!r}). It must be a file that this user may read."
        ) from None
    except yaml.YAMLError as error:
        raise not_yaml(name, error) from None
    if values is None:
        return Layer(name, {})
    if not isinstance(values, dict):
        raise ConfigurationError(
            f"{name} holds a {type(values).__name__}; it must hold keys, "
            "e.g. 'worker:' and below it 'max_activities: 5'."
        )
    if "env" in values and "env" in model.model_fields:
        raise ConfigurationError(
            f"{name} sets 'env', which decides what file is read and so cannot come from one. Set TRENOVA_ENV instead."
        )
    return Layer(name, values)


def _as_given(path: Path) -> str:
    """Return what is enough to open the file from where we are; in a container that may be the root."""
    here = Path.cwd()
    return str(path.relative_to(here) if here != here.parent and path.is_relative_to(here) else path)


def environment_layer(model: type[BaseModel], prefix: str, environ: Mapping[str, str], *, exclusive: bool) -> Layer:
    """Read the variables with ``prefix``, levels divided by two underscores.

    Args:
        model: The settings to read for.
        prefix: E.g. ``TRENOVA_``; an empty one reads nothing.
        environ: Variables; empty ones count as not set.
        exclusive: Whether everything with the prefix must be ours. If not, keys whose first level
            the model lacks are left to others.
    """
    values: dict[str, Any] = {}
    names: dict[KeyPath, str] = {}
    for variable in sorted(v for v in environ if prefix and v.upper().startswith(prefix.upper())):
        rest = variable[len(prefix) :]
        path = tuple(rest.lower().split("__"))
        if not environ[variable]:
            continue
        if path[0] not in model.model_fields:
            if not exclusive or _SERVICE_LINK.fullmatch(rest.upper()):
                continue
            raise _unknown(model, f"The environment variable {variable}", path)
        _put(model, values, path, environ[variable], variable)
        names[path] = variable
    return Layer("environment", values, names)


def override_layer(model: type[BaseModel], overrides: Sequence[str]) -> Layer:
    """Read ``key=value`` pairs, levels divided by dots."""
    values: dict[str, Any] = {}
    names: dict[KeyPath, str] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise ConfigurationError(
                f"--set needs key=value, got {key!r} without a value. Example: --set worker.max_activities=5."
            )
        path = tuple(key.split("."))
        if path[0] not in model.model_fields:
            raise _unknown(model, f"--set {key}", path)
        _put(model, values, path, text, f"--set {key}")
        names[path] = f"--set {key}"
    return Layer("--set", values, names)


def _put(model: type[BaseModel], values: dict[str, Any], path: KeyPath, text: str, name: str) -> None:
    *parents, last = path
    for key in parents:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigurationError(f"{name} sets a key below one that another of its kind sets as a whole.")
    decoded = _decode(text, field_at(model, path), name)
    if isinstance(decoded, dict) and isinstance(values.get(last), dict):
        _merge(values[last], decoded)
    else:
        values[last] = decoded


def _decode(text: str, annotation: Any, name: str) -> Any:
    if text == "null" and takes_none(annotation):
        return None
    if text[:1] not in {"[", "{"} or takes_text(annotation):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{name} begins like JSON and is not: {error}. Correct the JSON, e.g. {_EXAMPLES[text[:1]]}."
        ) from None


def _unknown(model: type[BaseModel], what: str, path: KeyPath) -> ConfigurationError:
    known = keys_at(model, ())
    near = nearest(path[0], known)
    hint = f"Did you mean {near!r}?" if near else f"Known are {', '.join(known)}."
    return ConfigurationError(f"{what} names the unknown key {path[0]!r}. {hint}")
