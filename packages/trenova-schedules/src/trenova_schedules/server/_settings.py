"""A server's options from a YAML file, environment variables and flags; what comes later wins."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_schedules.server._options import ServeOptions

PREFIX: Final = "TRENOVA_SCHEDULES_SERVER_"
"""Of variables: ``TRENOVA_SCHEDULES_SERVER_ACCESS__TOKENS__ISSUER`` is ``access.tokens.issuer``."""
CONFIG: Final = "TRENOVA_SCHEDULES_SERVER_CONFIG"
"""Where the file is; it cannot say so itself."""

Tree = dict[str, Any]


def load_options(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> ServeOptions:
    """Return the options in force.

    Args:
        file: YAML with the fields of :class:`ServeOptions`.
        environ: Variables that begin with ``TRENOVA_SCHEDULES_SERVER_``; ``__`` leads into a field, and a value that
            begins with ``[`` or ``{`` is JSON.
        flags: Dotted names of fields; None is not given.

    Raises:
        ConfigurationError: The file cannot be read, or a value is not allowed; the message names the field and never
            shows its value.
    """
    told = _merged(_from_file(file) if file else {}, _from_environ(environ))
    if "access" not in told:
        told["access"] = ServeOptions().access.model_dump(exclude_unset=True)
    for name, value in flags.items():
        if value is not None:
            told = _merged(told, _nested(name.split("."), value))
    try:
        return ServeOptions.model_validate(told)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = " ".join(
            f"{'.'.join(map(str, one['loc'])) or 'together'}: {one['msg'].removeprefix('Value error, ').rstrip('.')}."
            for one in faults
        )
        raise ConfigurationError(f"The server's options are wrong. {said}") from None


def _from_file(file: Path) -> Tree:
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The file {str(file)!r} cannot be read: {error.strerror}.", path=str(file)) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(f"The file {str(file)!r} is not YAML. Correct it.", path=str(file)) from None
    if not isinstance(told, dict | None):
        raise ConfigurationError(f"The file {str(file)!r} is no mapping of options. Correct it.", path=str(file))
    return dict(told or {})


def _from_environ(environ: Mapping[str, str]) -> Tree:
    told: Tree = {}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != CONFIG:
            told = _merged(told, _nested(name.removeprefix(PREFIX).lower().split("__"), _value(name, environ[name])))
    return told


def _value(name: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError(f"{name} begins as JSON and is none. Correct it.", variable=name) from None


def _nested(path: list[str], value: Any) -> Tree:
    first, *rest = path
    return {first: _nested(rest, value) if rest else value}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Tree:
    merged = dict(one)
    for name, value in other.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(before, value) if both and isinstance(before, Mapping) else value
    return merged
