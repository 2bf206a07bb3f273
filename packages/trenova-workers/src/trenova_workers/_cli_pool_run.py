"""What ``trenova-workers pool run`` does."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from trenova_errors import ApplicationError
from trenova_errors.connecting import connect_config
from trenova_workers._cli_pool_log import WithFields, is_news
from trenova_workers._connection import connect
from trenova_workers._identity import make_identity
from trenova_workers.pool._health import answering_health
from trenova_workers.pool._running import has_store, open_kept_store, open_manager
from trenova_workers.pool._staying import running_pids, said_of_ours
from trenova_workers.pool.store import PoolStoreOptions

if TYPE_CHECKING:
    from temporalio.client import Client

    from trenova_workers.pool._options import PoolsOptions


async def manage(options: "PoolsOptions", *, drain: bool, serve: bool, health: tuple[str, int] | None = None) -> None:
    """Run a manager until SIGTERM or SIGINT.

    Args:
        options: Its pools.
        drain: Drain all workers at the end.
        serve: Answer over HTTP too.
        health: Host and port where probes are answered; None for nowhere.

    Raises:
        ConfigurationError: An option does not hold, or something that it names is not there.
        Exit: With 1, where workers still run that should have been drained.
    """
    _log_to_stderr()
    stop, begun = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    managing = asyncio.ensure_future(_manage(options, stop, begun, drain=drain, serve=serve, health=health))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({managing, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not begun.is_set() and stop.is_set():
        managing.cancel()
    try:
        staying = await managing
    except (ApplicationError, asyncio.CancelledError):
        if begun.is_set() or not stop.is_set():
            raise
        _say("stopped before it had begun")
        staying = await _left(options) if drain else []
    if staying:
        for line in staying:
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(1)
    if not drain and begun.is_set():
        _say("stopped; workers go on, and the next manager adopts them")


async def _manage(
    options: "PoolsOptions",
    stop: asyncio.Event,
    begun: asyncio.Event,
    *,
    drain: bool,
    serve: bool,
    health: tuple[str, int] | None,
) -> list[str]:
    async with AsyncExitStack() as stack:
        if serve:
            from trenova_access.serving import expose_metrics
            from trenova_workers.pool.server import require_safe

            require_safe(options)  # before anything is asked of anybody
            exposition = expose_metrics()
        client = await _client()
        opened = await stack.enter_async_context(open_manager(options, client, os.environ, say=_say))
        if serve:
            from trenova_workers.pool.server import serving

            await stack.enter_async_context(serving(options, opened.store, say=_say, exposition=exposition))
        if health is not None:
            url = await stack.enter_async_context(answering_health(opened.manager, opened.store, *health))
            _say(f"health  {url}/livez and {url}/readyz")
        begun.set()
        return await opened.manager.run(stop, drain=drain)


async def _left(options: "PoolsOptions") -> list[str]:
    """Say which workers of earlier managers run, where this one was stopped before it could drain them."""
    why = "An earlier manager left them; the next one adopts them, and `kill PID` ends each"
    with suppress(ApplicationError):
        async with open_kept_store(options, led=False) as store:
            return said_of_ours(await running_pids(store, options.scope), why)
    return []


async def dry(options: "PoolsOptions") -> None:
    """Decide once for each pool and say what would be done; nothing is written or changed.

    Where no manager of this version has kept anything yet, there is nothing to read either.
    """
    with TemporaryDirectory(prefix="trenova-dry-") as folder:
        if not await has_store(options):
            options = options.model_copy(update={"database": PoolStoreOptions(url=f"sqlite:///{folder}/pools.db")})
        async with open_manager(options, await _client(), os.environ) as opened:
            for pool in opened.pools:
                typer.echo(f"{pool.name}: {await pool.rehearse(options.scope)}")


async def _client() -> "Client":
    return await connect(connect_config(os.environ), identity=make_identity("pool-manager"))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithFields("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(is_news)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (stdout is for results)
