"""What a server is told by a YAML file, environment variables and flags; what comes later wins."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trenova_errors import ConfigurationError

Tree = dict[str, Any]


def gathered(
    file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    *,
    prefix: str,
    defaults: Mapping[str, Any],
) -> Tree:
    """Return what was told, to be validated as options.

    Args:
        file: YAML with fields of the options.
        environ: Variables that begin with ``prefix``, but for ``<prefix>CONFIG``, which is the command's: it says where
            the file is. ``__`` leads into a field, and a value that begins with ``[`` or ``{`` is JSON.
        flags: Dotted names of fields; None is not given.
        prefix: Of variables, with its underscore.
        defaults: Fields that neither file nor variables told anything of; flags only add to these.

    Raises:
        ConfigurationError: The file cannot be read, or a variable begins as JSON and is none.
    """
    told = _merged(_from_file(file) if file else {}, _from_environ(environ, prefix))
    told = {**defaults, **told}
    for name, value in flags.items():
        if value is not None:
            told = _merged(told, _nested(name.split("."), value))
    return told


def _from_file(file: Path) -> Tree:
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The file {str(file)!r} cannot be read: {error.strerror}.", path=str(file)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"The file {str(file)!r} is not YAML{where}. Correct it.", path=str(file)) from None
    if not isinstance(told, dict | None):
        raise ConfigurationError(f"The file {str(file)!r} is no mapping of options. Correct it.", path=str(file))
    return dict(told or {})


def _from_environ(environ: Mapping[str, str], prefix: str) -> Tree:
    told: Tree = {}
    for name in sorted(environ):
        if name.startswith(prefix) and name != f"{prefix}CONFIG":
            told = _merged(told, _nested(name.removeprefix(prefix).lower().split("__"), _value(name, environ[name])))
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
