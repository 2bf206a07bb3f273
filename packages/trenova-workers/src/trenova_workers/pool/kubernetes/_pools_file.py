"""What manifests are made from: the pools of a pools' file that are Deployments. Nothing else of it is looked at."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trenova_errors import ConfigurationError
from trenova_workers._yaml import StrictLoader, not_yaml
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.scaling import ScalingPolicy


class ClusterPool(BaseModel):
    """One pool that is a Deployment.

    Attributes:
        queues: Task queues that its workers poll.
        policy: How it is scaled.
        kubernetes: Where its workers are.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    queues: tuple[str, ...] = Field(min_length=1)
    policy: ScalingPolicy = ScalingPolicy()
    kubernetes: KubernetesOptions


def cluster_pools(file: Path) -> dict[str, ClusterPool]:
    """Return the pools of a file that have ``kubernetes``, by name.

    Raises:
        ConfigurationError: The file cannot be read, a pool does not hold, or none is in a cluster.
    """
    told = _read(file)
    pools = told.get("pools")
    found = pools if isinstance(pools, dict) else {}
    inside = {name: pool for name, pool in found.items() if isinstance(pool, dict) and pool.get("kubernetes")}
    if not inside:
        raise ConfigurationError(
            f"No pool of {str(file)!r} is in a cluster. Give one the key 'kubernetes' with its 'deployment'."
        )
    return {name: _pool(file, name, pool) for name, pool in inside.items()}


def _pool(file: Path, name: str, told: dict[str, Any]) -> ClusterPool:
    try:
        return ClusterPool.model_validate(told)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = [
            f"  pools.{name}.{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ').rstrip('.')}."
            for one in faults
        ]
        raise ConfigurationError("\n".join([f"{str(file)!r} does not hold:", *lines])) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        told = yaml.load(file.read_text(encoding="utf-8"), StrictLoader)  # noqa: S506 - derived from SafeLoader
    except OSError as error:
        raise ConfigurationError(f"The pools' file {str(file)!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"The pools' file {str(file)!r} is not UTF-8. Save it as UTF-8.") from None
    except yaml.YAMLError as error:
        raise not_yaml(repr(str(file)), error) from None
    return told if isinstance(told, dict) else {}
