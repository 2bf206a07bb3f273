"""Versions of workers, and which of them gets how much of the work: read, ramp, promote, roll back, roll out."""

from trenova_workers.deploy._errors import DeploymentConflictError, DeploymentRefusedError
from trenova_workers.deploy._operator import Changed, Operator
from trenova_workers.deploy._outcomes import Counts
from trenova_workers.deploy._reading import DeploymentReader, deployment_names
from trenova_workers.deploy._rollout import Rollout, RolloutEvent, RolloutOptions
from trenova_workers.deploy._status import DeploymentStatus, VersionChange, VersionStatus
from trenova_workers.deploy._verdict import RolloutThresholds, Verdict, judge

__all__ = [
    "Changed",
    "Counts",
    "DeploymentConflictError",
    "DeploymentReader",
    "DeploymentRefusedError",
    "DeploymentStatus",
    "Operator",
    "Rollout",
    "RolloutEvent",
    "RolloutOptions",
    "RolloutThresholds",
    "Verdict",
    "VersionChange",
    "VersionStatus",
    "deployment_names",
    "judge",
]
