"""The variables by which services are told of their codec, for tools that have no settings of their own."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trenova_codecs._option_faults import fault
from trenova_codecs._options import CodecOptions
from trenova_errors import ConfigurationError

PREFIX: Final = "TRENOVA_CODEC"
"""``TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE`` is ``encryption.keys.source`` of :class:`CodecOptions`."""
_LEVELS: Final = "__"
_OBJECTS: Final = ((), ("encryption",), ("encryption", "keys"), ("compression",))
"""What a variable may give as a whole, in JSON; elsewhere a brace is text, as in ``{data_dir}/keyring.json``."""
_KEYS: Final = _OBJECTS[2]

Tree = dict[str, Any]


def told(environ: Mapping[str, str]) -> Tree:
    """Return what the variables say, nested; empty without any.

    As for services, names may be in either case, an empty variable counts as not set, what has fields of its own may
    be JSON, ``null`` is none, and a variable of a deeper level goes before one around it.

    Raises:
        ConfigurationError: A value begins as JSON and is none, or one variable contradicts another.
    """
    tree: Tree = {}
    for name in sorted(environ):
        first, *path = name.upper().split(_LEVELS)
        if first == PREFIX and environ[name]:
            keys = tuple(part.lower() for part in path)
            tree = _merged(tree, _nested(keys, _value(name, keys, environ[name]), name))
    return tree


def options(tree: Tree) -> CodecOptions:
    """Return options made of what was told.

    Raises:
        ConfigurationError: A value is not allowed; the message names the variable and never shows the value.
    """
    try:
        return CodecOptions.model_validate(tree)
    except ValidationError as error:
        raise ConfigurationError(_said(error)) from None


def _nested(keys: tuple[str, ...], value: Any, name: str) -> Tree:
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    if not isinstance(nested, Mapping):
        raise ConfigurationError(f"{name} must be the options of the codec in JSON. Correct it.", variable=name)
    return dict(nested)


def _value(name: str, keys: tuple[str, ...], text: str) -> Any:
    if text == "null":
        return None
    if keys not in _OBJECTS or not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError(f"{name} begins as JSON and is none. Correct it.", variable=name) from None


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Tree:
    merged = dict(one)
    for name, value in other.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(before, value) if both and isinstance(before, Mapping) else value
    return merged


def _said(error: ValidationError) -> str:
    wrong = [
        f"{_variable(one)}: {fault(CodecOptions, one)}" for one in error.errors(include_url=False, include_input=False)
    ]
    return f"The variables of the codec are wrong. {'; '.join(wrong)}. Correct them as for the workers."


def _variable(fault: ErrorDetails) -> str:
    loc = list(fault["loc"])
    if fault["type"].startswith("union_tag"):
        loc.append("source")
    elif tuple(loc[: len(_KEYS)]) == _KEYS and len(loc) > len(_KEYS):
        del loc[len(_KEYS)]  # the tag of the union, e.g. ``file``, is no level of the variables
    return _LEVELS.join([PREFIX, *(str(part).upper() for part in loc)])
