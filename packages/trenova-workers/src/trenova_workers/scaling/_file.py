"""Policies in a file."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_workers._yaml import StrictLoader, not_yaml
from trenova_workers.routing._problems import in_words, problems_in
from trenova_workers.scaling._policy import ScalingPolicy


def load_policy(path: Path) -> ScalingPolicy:
    """Read a policy from a YAML or JSON file; what it does not name has its default.

    Raises:
        ConfigurationError: It cannot be read or does not hold; one line for each problem, with what to do.
    """
    data = read_mapping(path)
    try:
        return ScalingPolicy.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(in_words(problems_in(ScalingPolicy, data, error), str(path))) from None


def read_mapping(path: Path) -> dict[str, Any]:
    """Read keys and values from a YAML or JSON file.

    Raises:
        ConfigurationError: It cannot be read, is not YAML, or holds something else.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), StrictLoader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise ConfigurationError(f"{str(path)!r} does not exist. Correct the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}. Correct the file or its rights.") from None
    except yaml.YAMLError as error:
        raise not_yaml(str(path), error) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: holds a {type(data).__name__}. Write keys and values, one a line.")
    return data
