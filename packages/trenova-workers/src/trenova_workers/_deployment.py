"""Workers as a version of a worker deployment: its options, and what the SDK is given of them."""

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from trenova_errors import ConfigurationError

NO_BUILD: Final = "unversioned"
"""The build of a service that no distribution carries."""

# The server divides name and build by a colon or a dot, and keeps names with two underscores for itself; a quote would
# end the text of a query.
_NAME: Final = r"^_?[^_.:'\"\\\s][^.:'\"\\\s]*$"
_BUILD: Final = re.compile(r"[^:'\"\\\s]+")


class DeploymentOptions(BaseModel):
    """The worker deployment that a process belongs to.

    Without ``versioned`` the server learns name and build, and routes no work by them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    versioned: bool = False
    """Whether runs are routed by version: they start on the version that is current or ramping, which
    ``trenova-workers deploy`` decides, and until one is they wait. Every workflow must then say how it moves."""
    name: str | None = Field(default=None, pattern=_NAME, max_length=200)
    """The server's name of the deployment; the service's if absent."""


def deployment_config(options: DeploymentOptions, service: str, build_id: str | None) -> WorkerDeploymentConfig | None:
    """Return what the SDK's worker is given; None where there is nothing to tell.

    Args:
        options: Of the deployment.
        service: Its name if it has none of its own.
        build_id: What was built.

    Raises:
        ConfigurationError: A versioned worker has no build by which it could be told from others, or one that the
            server does not take.
    """
    if not options.versioned:
        if build_id is None:
            return None
        version = WorkerDeploymentVersion(deployment_name=options.name or service, build_id=build_id)
        return WorkerDeploymentConfig(version=version, use_worker_versioning=False)
    if build_id in {None, NO_BUILD}:
        raise ConfigurationError(
            f"worker.deployment.versioned is true, and nothing says which build of {service} this is: no distribution "
            "carries it. Set worker.build_id to its release, e.g. 1.4.0."
        )
    if not _BUILD.fullmatch(build_id or ""):
        raise ConfigurationError(
            f"worker.build_id is {build_id!r}; that of a versioned worker has no colon, quote, backslash or space. "
            "Set worker.build_id to a release or a commit."
        )
    version = WorkerDeploymentVersion(deployment_name=options.name or service, build_id=build_id or "")
    # The default never applies: a workflow that declares nothing is refused. The SDK does not know of our declaration.
    return WorkerDeploymentConfig(version, use_worker_versioning=True, default_versioning_behavior=_DEFAULT)


_DEFAULT: Final = VersioningBehavior.PINNED
