"""What ``trenova-workers deploy rollout`` is told, read."""

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from trenova_errors import ConfigurationError

if TYPE_CHECKING:
    from trenova_workers.deploy import RolloutOptions

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def rollout_options(
    steps: str, bake: str, longest: str, every: str, *, error_rise: float, samples: int
) -> "RolloutOptions":
    """Return the options of a rollout.

    Raises:
        ConfigurationError: One does not hold; it is named.
    """
    from trenova_workers.deploy import RolloutOptions, RolloutThresholds

    bake_s = _seconds("--bake", bake)
    try:
        return RolloutOptions(
            steps=_percents(steps),
            bake_s=bake_s,
            longest_bake_s=max(bake_s, _seconds("--longest-bake", longest)),
            every_s=_seconds("--every", every),
            thresholds=RolloutThresholds(error_rise=error_rise, samples=samples),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise ConfigurationError(f"{first['msg'].removeprefix('Value error, ')}.") from None


def _percents(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConfigurationError(f"--steps needs percentages with commas, e.g. 10,50,100; got {text!r}.") from None


def _seconds(option: str, text: str) -> float:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"{option} needs a time such as 90s, 10m or 2h; got {text!r}.")
    return float(found[1]) * _SECONDS[found[2]]
