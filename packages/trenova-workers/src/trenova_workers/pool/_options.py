"""What a pool manager is told: its pools, how each is scaled and run, where its store is."""

import socket
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from trenova_workers.pool._dependency_options import DependencyOptions
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.pool.store._options import PoolStoreOptions
from trenova_workers.scaling import Budget, ScalingPolicy

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CrashOptions(_Options):
    """When a worker that ended by itself is started again, and when a pool counts as one that only crashes.

    Attributes:
        first_delay_s: Seconds before the first restart; doubled with each crash that follows.
        longest_delay_s: The most of it.
        crashes: So many within ``window_s`` are a crash loop: nothing is started any more.
        window_s: Seconds.
        recover_s: Seconds without a crash after which one worker is tried again.
        stable_s: Seconds that this one has to run before the others are started.
    """

    first_delay_s: float = Field(default=1, gt=0, le=3600)
    longest_delay_s: float = Field(default=60, gt=0, le=3600)
    crashes: int = Field(default=5, ge=2, le=1000)
    window_s: float = Field(default=300, gt=0, le=86_400)
    recover_s: float = Field(default=300, gt=0, le=86_400)
    stable_s: float = Field(default=60, gt=0, le=3600)


class ContentionOptions(_Options):
    """What is done about another writer.

    Attributes:
        exclusive: Workers of the same service on the same queues that this manager did not start are another
            writer's; with false they are only shown.
        first_s: Seconds that a pool is left alone; doubled each time that it happens again.
        longest_s: The most of it.
    """

    exclusive: bool = True
    first_s: float = Field(default=30, gt=0, le=3600)
    longest_s: float = Field(default=600, gt=0, le=86_400)


class BuildOptions(_Options):
    """How workers of one build are started, where builds are versions of a worker deployment.

    Attributes:
        python: Interpreter of the environment that this build is installed in; the manager's own if absent.
        environ: Further variables, on top of those of the pool. No secrets: the file is read by many.
    """

    python: Path | None = None
    environ: dict[str, str] = Field(default_factory=dict)


class ProcessOptions(_Options):
    """How workers are run as processes of this machine.

    Attributes:
        service: Name of an installed worker (entry-point group ``trenova.workers``); or give ``module``.
        module: Python module with the verbs of a service, run as ``python -m MODULE run``.
        environ: Further variables of the workers. No secrets: the file is read by many.
        build: What they run; the version of the service's distribution if absent. A change replaces them in turn,
            unless they are versioned (``worker.deployment.versioned``): then each keeps workers while it has work.
        builds: How to start workers of each build, by its name: of earlier ones that still have work, and of ``build``
            where that is installed elsewhere than the manager. Builds that are not here, and not what is installed,
            keep the workers that they have.
        start_limit_s: Seconds in which a worker has to answer for its health; it is replaced after that. One that
            answers and is not ready waits for the Temporal server.
        silent_s: Seconds without an answer of a worker that was ready, after which it is lost and replaced.
        drain_s: Seconds that a drain may take before it is ended by force. It has to exceed the service's own grace
            (``worker.graceful_shutdown_s``), or running work would be cut off; half a minute more than that if absent.
        memory_limit_mib: A worker that uses more is replaced, by a drain.
        memory_grace_s: Seconds of its life before that counts, so that a limit that every worker exceeds does not have
            them replaced without end.
        log_kept_mib: Of the output of each worker; what is older is in one more file of that size.
    """

    service: str | None = None
    module: str | None = None
    environ: dict[str, str] = Field(default_factory=dict)
    build: str | None = Field(default=None, min_length=1, max_length=200)
    builds: dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], BuildOptions] = Field(
        default_factory=dict
    )
    start_limit_s: float = Field(default=120, gt=0, le=3600)
    silent_s: float = Field(default=60, gt=0, le=3600)
    drain_s: float | None = Field(default=None, gt=0, le=86_400)
    memory_limit_mib: int | None = Field(default=None, ge=1)
    memory_grace_s: float = Field(default=300, gt=0, le=86_400)
    log_kept_mib: int = Field(default=10, ge=1, le=1000)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.service is None) == (self.module is None):
            raise ValueError("say either service (an installed worker) or module (to run with python -m), and not both")
        return self


class PoolOptions(_Options):
    """One pool.

    Attributes:
        queues: Task queues that its workers poll; those that the service names if absent, which a Deployment cannot.
        policy: How it is scaled.
        process: How its workers are run as processes of this machine; or give ``kubernetes``.
        kubernetes: Of which Deployment they are the pods.
        crashes: When processes are started again; Kubernetes sees to that itself.
        contention: What is done about another writer.
        business_class: One of the budget's, where there is a budget.
        dependencies: What its tasks need. While one of them is down no worker is added.
    """

    queues: tuple[str, ...] = ()
    policy: ScalingPolicy = ScalingPolicy()
    process: ProcessOptions | None = None
    kubernetes: KubernetesOptions | None = None
    crashes: CrashOptions = CrashOptions()
    contention: ContentionOptions = ContentionOptions()
    business_class: str = Field(default="", max_length=200)
    dependencies: tuple[DependencyOptions, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if (self.process is None) == (self.kubernetes is None):
            raise ValueError("say either process (workers of this machine) or kubernetes (a Deployment), and not both")
        if self.kubernetes is not None and not self.queues:
            raise ValueError("say queues too, since nobody here can ask the workers of a Deployment for theirs")
        return self


class PoolsOptions(_Options):
    """One pool manager.

    Attributes:
        scope: What it manages: one manager at a time acts in a scope. Processes can only be managed on their own
            machine, so each machine has its own; its name if absent.
        data_dir: Private folder for the output of workers, and an embedded database.
        database: Where lease, workers, decisions and audit trail are; ``{data_dir}`` stands for that folder.
        lease_s: Seconds after which another manager takes over from one that has vanished.
        look_s: Seconds between two looks at the workers. How often the load is looked at, each pool's policy says.
        decisions_kept: Of each pool.
        budget: Workers of all pools together, and the classes of business that share them; none is no limit.
        server: Of the API (``PoolServerOptions``): where it listens, who may call. Looked at where it is served.
        pools: By name.
    """

    scope: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(default_factory=socket.gethostname)
    data_dir: Path = Path(".trenova")
    database: PoolStoreOptions = PoolStoreOptions(url="sqlite:///{data_dir}/pools.db")
    lease_s: float = Field(default=10, ge=1, le=300)
    look_s: float = Field(default=1, ge=0.1, le=60)
    decisions_kept: int = Field(default=20_000, ge=100, le=10_000_000)
    budget: Budget | None = None
    server: dict[str, Any] = Field(default_factory=dict)
    pools: dict[Name, PoolOptions] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_the_budget(self) -> Self:
        if self.budget is None:
            return self
        for name, pool in self.pools.items():
            if pool.business_class not in self.budget.classes:
                known = ", ".join(self.budget.classes)
                said = f"pools.{name}.business_class is {pool.business_class!r}, and the budget has {known}"
                raise ValueError(f"{said}; name one of them")
        least = sum(pool.policy.min_workers for pool in self.pools.values())
        if least > self.budget.workers:
            raise ValueError(
                f"budget.workers is {self.budget.workers}, and the minima of the pools come to {least}; raise it"
            )
        return self

    @property
    def store(self) -> PoolStoreOptions:
        """Where the database is, with the folder in place."""
        return self.database.within(self.data_dir.absolute())
