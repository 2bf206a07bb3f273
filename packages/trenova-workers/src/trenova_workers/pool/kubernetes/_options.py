"""Where the workers of a pool are, in a Kubernetes cluster."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""What Kubernetes accepts as the name of an object."""


class KubernetesOptions(BaseModel):
    """The Deployment whose replicas a pool manager sets; nobody else may set them.

    Attributes:
        deployment: Its name.
        namespace: Of Kubernetes; that of the manager's own service account if absent.
        service: As the identities of its workers say; the name of the Deployment if absent.
        container: Whose image is the build, where no label tells it; the first if absent.
        build_label: Label of the pods that tells their build. Without it, the tag or digest of the image is the build.
        drain_s: Seconds that a worker may need to end: its grace and 10 more. A Deployment whose
            ``terminationGracePeriodSeconds`` is shorter is refused, because a drain would cut work off.
        worker_deployment: Temporal's name of the worker deployment that its builds are versions of; none where the
            workers are not versioned. Then each build has a Deployment of its own.
        earlier: Deployments of earlier builds, whose workers are kept while they have work. One that is not there any
            more has none.
        context: Of the kubeconfig file, for a manager outside of the cluster.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    deployment: ObjectName
    namespace: ObjectName | None = None
    service: str | None = Field(default=None, min_length=1, max_length=100)
    container: ObjectName | None = None
    build_label: str = Field(default="app.kubernetes.io/version", min_length=1, max_length=317)
    drain_s: float = Field(default=40, gt=0, le=86_400)
    worker_deployment: str | None = Field(default=None, min_length=1, max_length=200)
    earlier: tuple[ObjectName, ...] = ()
    context: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _versions_are_told(self) -> Self:
        if self.earlier and self.worker_deployment is None:
            raise ValueError("earlier has Deployments, and the workers are not versioned; say worker_deployment too")
        if len({self.deployment, *self.earlier}) <= len(self.earlier):
            raise ValueError("earlier names a Deployment twice, or the one of deployment; name each once")
        return self

    @property
    def served(self) -> str:
        """``service`` in force."""
        return self.service or self.deployment
