"""Puts a manager together from its options, and runs it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_workers._fleet._fleet import Fleet
from trenova_workers._identity import make_identity
from trenova_workers.deploy import DeploymentReader
from trenova_workers.pool._asked import Decide
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._calendar import ScheduleCalendar
from trenova_workers.pool._dependencies import DependencyHealth, DependencyProbes
from trenova_workers.pool._managed import ManagedPool
from trenova_workers.pool._manager import PoolManager
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._observer import TemporalObserver
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool._versioned import TemporalVersions
from trenova_workers.pool.kubernetes import open_deployments
from trenova_workers.pool.processes._backend import ProcessBackend
from trenova_workers.pool.processes._program import load_program
from trenova_workers.pool.store import PoolStore
from trenova_workers.scaling import FireCalendar
from trenova_workers.scaling import decide as law


@dataclass(frozen=True)
class OpenedManager:
    """A manager that can run, and its parts.

    Attributes:
        manager: The manager.
        store: Its store; the tables are there.
        pools: Its pools.
    """

    manager: PoolManager
    store: PoolStore
    pools: tuple[ManagedPool, ...]


@asynccontextmanager
async def open_store(options: PoolsOptions) -> AsyncIterator[PoolStore]:
    """Open the store of a manager and bring its tables up to date.

    Raises:
        ConfigurationError: A newer version has migrated it.
        UnavailableError: It cannot be reached.
    """
    store = PoolStore(options.store, decisions_kept=options.decisions_kept)
    try:
        await store.migrate()
        yield store
    finally:
        await store.close()


async def has_store(options: PoolsOptions) -> bool:
    """Whether there is a store with the tables of this version; nothing is made.

    Raises:
        UnavailableError: It cannot be reached.
    """
    where = options.store
    if where.is_sqlite and not await asyncio.to_thread(Path(where.place).exists):
        return False
    async with PoolStore.open(where) as store:
        return await store.is_current()


@asynccontextmanager
async def open_kept_store(options: PoolsOptions, *, led: bool) -> AsyncIterator[PoolStore]:
    """Open the store of a manager that has run; nothing is made where none has.

    Args:
        options: Where it is.
        led: Whether a manager of the scope must have led; else its tables are enough.

    Raises:
        ConfigurationError: No manager has run there.
        UnavailableError: It cannot be reached.
    """
    where = options.store
    what = (
        "Give the folder of the manager with --data-dir, or its database with --database-url; `up` keeps its pools in "
        ".trenova of the folder where it was started"
    )
    if where.is_sqlite and not await asyncio.to_thread(Path(where.place).exists):
        raise ConfigurationError(f"No pool manager has run with {where.place!r}: there is no such file. {what}.")
    async with PoolStore.open(where) as store:
        if not await store.is_current():
            raise ConfigurationError(
                f"The store {where.place!r} has no tables of this version: no manager of it has run there. {what}."
            )
        if led and await store.leases.holder(options.scope) is None:
            raise ConfigurationError(
                f"No manager of the scope {options.scope!r} has ever led with the store {where.place!r}, so nobody "
                f"would heed an order. {what}."
            )
        yield store


@asynccontextmanager
async def open_manager(
    options: PoolsOptions,
    client: Client,
    environ: Mapping[str, str],
    *,
    calendar: FireCalendar | None = None,
    dependencies: DependencyHealth | None = None,
    decide: Decide = law,
    say: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[OpenedManager]:
    """Make a manager for the length of a block. Workers go on after it.

    Args:
        options: Its pools.
        client: Of the namespace whose queues they serve.
        environ: What workers inherit; the connection of the workers is in it.
        calendar: What schedules will bring; as the server tells it unless given.
        dependencies: Whether what tasks need works; found out by connecting to what the pools name unless given.
        decide: In place of the control law.
        say: Receives lines for people.

    Raises:
        ConfigurationError: A pool's service is not installed, its options do not fit it, or there is no way to its
            cluster.
        UnavailableError: The store cannot be reached.
    """
    metrics, folder = PoolMetrics(), options.data_dir.absolute()
    here = [name for name, pool in options.pools.items() if pool.kubernetes is None]
    if here and not hasattr(os, "posix_spawn"):
        raise ConfigurationError("A pool of processes needs Linux or macOS; on Windows run it in WSL.")
    loaded = await asyncio.gather(*(load_program(name, options.pools[name], environ, folder) for name in here))
    programs = dict(zip(here, loaded, strict=True))
    queues = {name: programs[name].queues if name in programs else pool.queues for name, pool in options.pools.items()}
    _refuse_overlap(queues)
    async with open_store(options) as store, AsyncExitStack() as stack:
        calendar = calendar or await stack.enter_async_context(_calendar(client, options, queues))
        probed = {name: pool.dependencies for name, pool in options.pools.items()}
        dependencies = dependencies or DependencyProbes(probed)
        pools = []
        for name, pool in options.pools.items():
            if pool.kubernetes is None:
                program = programs[name]
                service, deployment = program.service.name, program.deployment
                backend: Backend = ProcessBackend(name, program, store, folder, scope=options.scope)
            else:
                service, deployment = pool.kubernetes.served, pool.kubernetes.worker_deployment
                sights = Fleet(client, queues=queues[name], service=service)
                backend = await stack.enter_async_context(open_deployments(name, pool.kubernetes, environ, sights))
            managed = ManagedPool(
                name,
                pool,
                service=service,
                backend=backend,
                observer=TemporalObserver(client, queues[name]),
                store=store,
                decide=decide,
                metrics=metrics,
                calendar=calendar,
                dependencies=dependencies,
                versions=None if deployment is None else TemporalVersions(DeploymentReader(client, deployment)),
            )
            pools.append(managed)
        holder = make_identity("pool-manager")
        manager = PoolManager(options, pools, store, holder=holder, metrics=metrics, say=say)
        yield OpenedManager(manager, store, tuple(pools))


@asynccontextmanager
async def _calendar(
    client: Client, options: PoolsOptions, queues: Mapping[str, Sequence[str]]
) -> AsyncIterator[FireCalendar]:
    ahead = max(pool.policy.horizon_s for pool in options.pools.values())
    calendar = ScheduleCalendar(client, queues, ahead_s=ahead)
    try:
        yield calendar
    finally:
        await calendar.close()


def _refuse_overlap(queues: Mapping[str, Sequence[str]]) -> None:
    """Two pools on one queue would each size for all of its load."""
    by_queue: dict[str, str] = {}
    for name, polled in queues.items():
        for queue in polled:
            other = by_queue.setdefault(queue, name)
            if other != name:
                raise ConfigurationError(
                    f"The pools {other!r} and {name!r} both serve the queue {queue!r}, so each would be sized for all "
                    "of its load. Give each pool queues of its own."
                )
