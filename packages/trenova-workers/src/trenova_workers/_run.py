"""Runs a service: connect, open, poll, report, drain."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import Runtime

from trenova_errors import ConfigurationError
from trenova_workers._connection import connect
from trenova_workers._first_process import orphans_reaped
from trenova_workers._fleet._boot import looking_around
from trenova_workers._fleet._registrations import Registrations
from trenova_workers._fleet._registrations_plugin import RegistrationsPlugin
from trenova_workers._identity import Identity
from trenova_workers._interruption import Interruption, cancelled_when, interrupted_by, interrupted_by_signals
from trenova_workers._loop_lag import LoopLag
from trenova_workers._observability._buckets import derived_buckets
from trenova_workers._observability._targets import announced
from trenova_workers._plugins import client_plugins
from trenova_workers._preflight import build_of, refuse_impossible, settled
from trenova_workers._readiness import Readiness
from trenova_workers._reload import Reload, reloaded_by_signal
from trenova_workers._service import S, Service
from trenova_workers._tuning._telemetry import make_telemetry
from trenova_workers._workers import Workers

_log = logging.getLogger(__name__)


async def run(
    service: Service[S],
    settings: S,
    *,
    connection: ClientConnectConfig,
    stop: asyncio.Event | None = None,
    reload: Callable[[], S] | None = None,
    identity: Identity | None = None,
) -> None:
    """Serve until told to stop, then drain: stop polling and let running activities finish.

    Args:
        service: What to run.
        settings: Its settings.
        connection: From `connect_config`.
        stop: Set it to drain. Without it SIGTERM and SIGINT ask for the drain, and a second one cuts
            running activities off; this needs the main thread.
        reload: Reads the settings anew and refuses those that do not hold. Without ``stop``, SIGHUP calls it and
            gives the workers the new numbers of slots that are resizable.
        identity: Under which the process polls, answers and logs; a new one with the machine's name if absent.

    Raises:
        ConfigurationError: The options cannot work, or the service refuses to start.
        ForcedShutdownError: Activities were cut off.
        Exception: A worker failed; the others were drained.
    """
    queues = _queues(service, settings)
    refuse_impossible(service, settings)
    reloading = Reload(settings, reload) if reload is not None and stop is None else None
    build_id = settings.worker.build_id or build_of(service)
    readiness = Readiness(identity or Identity.of_this_process(service.name, build_id=build_id), queues)
    with interrupted_by(stop) if stop is not None else interrupted_by_signals() as interruption:
        async with AsyncExitStack() as stack:
            stack.enter_context(orphans_reaped())
            if reloading:
                stack.enter_context(reloaded_by_signal(reloading, interruption))
            workers: Workers | None = None
            with cancelled_when(interruption.first):
                workers = await _start(service, settings, connection, readiness, stack)
            if workers is None:
                _log.info("stopped before it had started", extra={"reason": interruption.reason})
            else:
                if reloading:
                    reloading.workers = workers
                await _serve(workers, readiness, interruption)


async def _start(
    service: Service[S],
    settings: S,
    connection: ClientConnectConfig,
    readiness: Readiness,
    stack: AsyncExitStack,
) -> Workers:
    from trenova_workers._health import HealthServer  # aiohttp takes a while to import and only this verb needs it

    identity = readiness.last()["identity"]
    options = settled(settings.worker, service.limits(settings), readiness.identity.build_id or build_of(service))
    # Rules or keys that are missing are found before a port opens.
    shared = client_plugins(service, settings, readiness.identity)
    telemetry = make_telemetry(options, readiness.identity.fields(), derived_buckets(service.limits(settings)))
    stack.enter_context(announced(options.metrics.targets_dir, telemetry.metrics, readiness.identity))
    lag = LoopLag(service.name, settings.health.event_loop_warning_s)
    health = await stack.enter_async_context(HealthServer(settings.health, readiness, lag))
    facts = {"identity": identity, "health": health.url, "metrics": telemetry.metrics, "env": settings.env}
    _log.info("starting", extra={**facts, "build_id": options.build_id, "profile": options.profile})
    clients, plugins = await _clients(_queues(service, settings), shared, connection, identity, telemetry.runtime)
    work = await stack.enter_async_context(service.work(settings))
    workers = Workers(clients, work, options, service=service.name)
    workers.start()
    await stack.enter_async_context(lag)  # what opening and importing hold up before this is nobody's work
    readiness.started(clients[0][1], workflows=bool(work.workflows), activities=bool(work.activities))
    _log.info(
        "polling",
        extra={
            "queues": [queue for queue, _ in clients],
            "address": connection["target_host"],
            "namespace": connection["namespace"],
        },
    )
    registered = {q: p.registrations or Registrations.of() for (q, _), p in zip(clients, plugins, strict=True)}
    await stack.enter_async_context(looking_around(clients[0][1], readiness.identity, registered))
    return workers


async def _clients(
    queues: Sequence[str], shared: Sequence[Plugin], connection: ClientConnectConfig, identity: str, runtime: Runtime
) -> tuple[list[tuple[str, Client]], list[RegistrationsPlugin]]:
    """Connect once for each queue; the plugins tell what the workers of these clients will register."""
    telling = [RegistrationsPlugin() for _ in queues]
    clients = await asyncio.gather(
        *(connect(connection, identity=identity, plugins=[*shared, one], runtime=runtime) for one in telling)
    )
    return list(zip(queues, clients, strict=True)), telling


async def _serve(workers: Workers, readiness: Readiness, interruption: Interruption) -> None:
    await workers.wait(interruption)
    why = interruption.reason if interruption.first.is_set() else "a worker failed"
    readiness.draining(f"Draining: {why}.", workers.drain_report)
    try:
        await workers.drain(interruption, why)
    finally:
        readiness.stopped()
        _log.info("stopped")


def _queues(service: Service[S], settings: S) -> list[str]:
    queues = list(service.queues(settings))
    if not queues or len(set(queues)) != len(queues):
        raise ConfigurationError(
            f"{service.name} needs at least one task queue and each only once, got {queues!r}. Correct its settings."
        )
    return queues
