"""What is known of a Deployment and its pods. Frozen; read from the API by `_reading`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

DRAIN_ANNOTATION: Final = "trenova.dev/drain"
"""On a pod that was chosen to end: why."""
COST_ANNOTATION: Final = "controller.kubernetes.io/pod-deletion-cost"
"""Kubernetes' own: pods with less are deleted first when a Deployment shrinks; 0 where it is absent."""
CHOSEN_COST: Final = -1000


@dataclass(frozen=True)
class Pod:
    """One pod of a Deployment.

    Attributes:
        name: Its name, which is the worker's id, and the host in the worker's identity.
        created_at: When.
        phase: ``Pending``, ``Running``, ``Succeeded``, ``Failed`` or ``Unknown``.
        ready: Whether it is ready; None where Kubernetes does not know, since its node does not answer.
        serves: Whether its containers are ready by the last that their node said.
        restarts: Of its containers.
        trouble: Why a container does not run, such as ``CrashLoopBackOff (ended with 1)``; empty if it does.
        said: Why it ended or is in that phase, in the words of Kubernetes.
        build: What it runs.
        node: Where; empty while it is nowhere.
        replica_set: Which revision of the Deployment it belongs to.
        ends_at: Until when it should have ended, once it was deleted; None before.
        chosen: Why this manager or an earlier one chose it to end; empty if none has.
    """

    name: str
    created_at: datetime
    phase: str = "Running"
    ready: bool | None = True
    serves: bool = True
    restarts: int = 0
    trouble: str = ""
    said: str = ""
    build: str = ""
    node: str = ""
    replica_set: str = ""
    ends_at: datetime | None = None
    chosen: str = ""

    @property
    def active(self) -> bool:
        """Whether it is one of those that the Deployment counts."""
        return self.ends_at is None and not self.ended

    @property
    def ended(self) -> bool:
        """Whether its containers have ended for good."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def unheard(self) -> bool:
        """Whether its node does not answer.

        Kubernetes then calls the pod not ready, although its containers were when they were last heard of.
        """
        return self.phase == "Unknown" or self.ready is None or (not self.ready and self.serves)


@dataclass(frozen=True)
class Deployment:
    """A Deployment.

    Attributes:
        name: Its name.
        replicas: How many pods it is told to have.
        selector: Of its pods, as a query has it.
        build: What a pod that is started now runs.
        grace_s: Seconds from the request to end until a pod is killed.
        rolling: Whether it replaces pods of an earlier revision.
        failing: Why it cannot make pods, in the words of Kubernetes; empty if it can.
    """

    name: str
    replicas: int
    selector: str
    build: str
    grace_s: float
    rolling: bool = False
    failing: str = ""


@dataclass(frozen=True)
class Scale:
    """How many pods a Deployment is told to have, and the version of that word."""

    replicas: int
    version: str


@dataclass(frozen=True)
class Autoscaler:
    """Something of Kubernetes that sets the replicas of a workload.

    Attributes:
        name: Of the HorizontalPodAutoscaler.
        target: Kind and name of what it scales.
        owner: Kind and name of what made it, such as ``("ScaledObject", "shipment-worker")``; None if a person did.
    """

    name: str
    target: tuple[str, str]
    owner: tuple[str, str] | None = None

    @property
    def named(self) -> str:
        """What to look for with kubectl."""
        if self.owner is None:
            return f"the HorizontalPodAutoscaler {self.name!r}"
        kind, name = self.owner
        return f"{'KEDA, by its ' if kind == 'ScaledObject' else 'the '}{kind} {name!r},"


Annotations = Mapping[str, str | None]
"""To be set; None removes one."""
