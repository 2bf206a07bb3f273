"""What runs the workers of a pool: processes of this machine, or something that runs containers."""

from dataclasses import dataclass
from typing import Protocol

from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.store._leases import Lease


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do; the manager leaves the rest alone.

    Attributes:
        chooses_victims: It drains the worker that it is told to, and not any.
        replaces_builds: It leaves it to the manager to replace workers of another build.
        measures_memory: It says how much memory its workers use.
        restarts: It starts a crashed worker again by itself, with delays of its own.
    """

    chooses_victims: bool = True
    replaces_builds: bool = True
    measures_memory: bool = True
    restarts: bool = False


class Backend(Protocol):
    """Runs the workers of one pool. Every act carries the lease, and is refused when that is lost.

    A worker is known by an id of the backend's own making; nothing here is particular to processes.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def look(self, lease: Lease | None) -> PoolView:
        """Return all workers, those included that an earlier manager started, and see after them.

        What has ended is noted, and what drains is ended by force at its deadline. Without a lease it only looks.

        Raises:
            LeaseLostError: Another manager may act.
            ConfigurationError: The workers cannot be looked after from here.
        """

    async def build(self) -> str:
        """Return what a worker that is started now would run."""

    def cannot_start(self, build: str) -> str:
        """Return why no worker of a build can be started, as a sentence without its end; empty if one can.

        Asked of the versions of a pool whose workers are versioned. What `build` returns can always be.
        """

    async def start(self, lease: Lease, count: int, *, build: str) -> None:
        """Start so many more of a build. They are ``starting`` from now on.

        Raises:
            LeaseLostError: Another manager may act; those not yet started are not started.
        """

    async def drain(self, lease: Lease, worker_id: str, *, why: str) -> None:
        """Ask one to take nothing new, finish what it has and end. Asking again changes nothing.

        Raises:
            LeaseLostError: Another manager may act.
        """

    async def stop(self, lease: Lease, worker_id: str) -> None:
        """End one by force, now.

        Raises:
            LeaseLostError: Another manager may act.
        """
