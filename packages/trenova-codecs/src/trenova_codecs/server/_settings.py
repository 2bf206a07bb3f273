"""A server's options from a YAML file, environment variables and flags; what comes later wins."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trenova_codecs._option_faults import fault
from trenova_codecs.server._options import ServeOptions
from trenova_errors import ConfigurationError

PREFIX: Final = "TRENOVA_CODEC_SERVER_"
"""Of environment variables: ``TRENOVA_CODEC_SERVER_ACCESS__TOKENS__ISSUER`` is ``access.tokens.issuer``."""
CONFIG: Final = "TRENOVA_CODEC_SERVER_CONFIG"
"""Where the file is; it cannot say so itself."""

Tree = dict[str, Any]


def load_options(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> ServeOptions:
    """Return the options in force.

    Args:
        file: YAML with the fields of :class:`ServeOptions`.
        environ: Variables that begin with ``TRENOVA_CODEC_SERVER_``, without ``TRENOVA_CODEC_SERVER_CONFIG``, which
            is the command's; ``__`` leads into a field, and a value that begins with ``[`` or ``{`` is JSON.
        flags: Dotted names of fields; None is not given.

    Raises:
        ConfigurationError: The file cannot be read, or a value is not allowed; the message names the field
            and never shows its value.
    """
    told = _merged(_from_file(file) if file else {}, _from_environ(environ))
    # Access is either what was told, or the default with its sign-in; flags only add to it.
    if "access" not in told:
        told["access"] = ServeOptions().access.model_dump(exclude_unset=True)
    for name, value in flags.items():
        if value is not None:
            told = _merged(told, _nested(name.split("."), value))
    try:
        return ServeOptions.model_validate(told)
    except ValidationError as error:
        raise ConfigurationError(f"The codec server's options are wrong. {_said(error, environ)}") from None


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


def _said(error: ValidationError, environ: Mapping[str, str]) -> str:
    faults = error.errors(include_url=False, include_input=False)
    return " ".join(f"{_where(one, environ)}: {fault(ServeOptions, one).rstrip('.')}." for one in faults)


def _where(one: ErrorDetails, environ: Mapping[str, str]) -> str:
    """Name the option, and the variable that it is from; flags name theirs themselves."""
    path = [str(part) for part in one["loc"]]
    if not path:
        return "together"
    depths = (PREFIX + "__".join(path[:depth]) for depth in range(len(path), 0, -1))
    told = {name.upper(): name for name in environ if name.startswith(PREFIX) and name != CONFIG}
    variable = next((told[name.upper()] for name in depths if name.upper() in told), None)
    return ".".join(path) + (f" ({variable})" if variable else "")
