"""A manager's options from a YAML file, with what flags and variables say on top."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trenova_errors import ConfigurationError
from trenova_workers._yaml import StrictLoader, not_yaml
from trenova_workers.pool._options import PoolsOptions

UP_FILE = "pools.yaml"
"""In the data folder of ``up``: the pools that it runs."""

FILE_VARIABLE = "TRENOVA_POOLS"
"""Names the file."""


def load_pools(file: Path, flags: Mapping[str, Any] | None = None) -> PoolsOptions:
    """Return the options in force.

    Args:
        file: YAML with the fields of :class:`PoolsOptions`. ``data_dir`` and ``database`` are relative to the working
            directory.
        flags: Dotted names of fields, and their values; None is not told.

    Raises:
        ConfigurationError: The file cannot be read, or a value does not hold. The message names the file and the key,
            and never shows a value that may be secret.
    """
    told = _read(file)
    for name, value in (flags or {}).items():
        if value is not None:
            _put(told, name.split("."), value)
    try:
        return PoolsOptions.model_validate(told)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = [f"  {'.'.join(map(str, one['loc'])) or 'together'}: {_said(one)}." for one in faults]
        raise ConfigurationError("\n".join([f"{str(file)!r} does not hold:", *lines])) from None


def pools_of_up(data_dir: Path | None) -> Path:
    """Return the file that ``trenova-workers up`` leaves in its data folder.

    Args:
        data_dir: The folder; that of `PoolsOptions` if None.

    Raises:
        ConfigurationError: There is none.
    """
    file = (data_dir or PoolsOptions.model_fields["data_dir"].default) / UP_FILE
    if not file.exists():
        raise ConfigurationError(
            f"Nobody says which pools: {str(file)!r}, which `trenova-workers up --pools` leaves, is not there. Name "
            "their file with --pools or TRENOVA_POOLS, or the data folder of `up` with --data-dir."
        )
    return file


def _read(file: Path) -> dict[str, Any]:
    try:
        told = yaml.load(file.read_text(encoding="utf-8"), StrictLoader)  # noqa: S506 - derived from SafeLoader
    except OSError as error:
        raise ConfigurationError(f"The pools' file {str(file)!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"The pools' file {str(file)!r} is not UTF-8. Save it as UTF-8.") from None
    except yaml.YAMLError as error:
        raise not_yaml(repr(str(file)), error) from None
    if not isinstance(told, dict):
        raise ConfigurationError(f"The pools' file {str(file)!r} is no mapping. Begin it with 'pools:'.")
    return told


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        tree = tree.setdefault(name, {})
    tree[last] = value


def _said(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden" and (known := _fields(fault["loc"][:-1])):
        return f"this key is not known; there are {', '.join(known)}"
    return fault["msg"].removeprefix("Value error, ").rstrip(".")


def _fields(path: Sequence[int | str]) -> list[str]:
    """Return the keys that there are under a path of keys; none where nobody knows."""
    models: list[type[BaseModel]] = [PoolsOptions]
    for key in path:
        fields = models[0].model_fields
        if key in fields:
            models = _models_in(fields[str(key)].annotation) or models
    return sorted(models[0].model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
