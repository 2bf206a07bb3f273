"""``trenova-workers pool``: runs a pool manager, and asks and orders for one."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trenova_errors import ApplicationError, ConfigurationError

if TYPE_CHECKING:
    from trenova_workers.pool._desk import Clerk, PoolDesk
    from trenova_workers.pool._options import PoolsOptions

_NEEDS = 'A pool manager needs its extra: uv pip install "trenova-workers[pool]"'
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

File = Annotated[
    Path,
    typer.Option("--pools", envvar="TRENOVA_POOLS", dir_okay=False, help="The pools, as YAML: docs/worker-pools.md."),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", help="In place of the file's data_dir.")
]
Url = Annotated[
    str | None, typer.Option("--database-url", envvar="TRENOVA_POOLS_DATABASE_URL", help="In place of the file's.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Pool = Annotated[str, typer.Argument(metavar="POOL", help="Name of the pool.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the audit trail keeps it.", show_default=False)]


def pool_app() -> typer.Typer:  # noqa: C901 - one function inside for each command
    """Return the commands about pools."""
    app = typer.Typer(help="Pools of workers: how many run, why, and who says so.", no_args_is_help=True)

    @app.command("run")
    def run(
        *,
        pools: File,
        data_dir: DataDir = None,
        database_url: Url = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Decide and say so, once for each pool; change nothing.")
        ] = False,
        drain: Annotated[
            bool, typer.Option("--drain", help="Drain all workers when it stops; without it they go on.")
        ] = False,
        serve: Annotated[
            bool, typer.Option("--serve/--no-serve", help="Answer over HTTP too (extra [server]).")
        ] = False,
        port: Annotated[
            int | None, typer.Option("--port", min=0, max=65535, help="With --serve; 0: a free one.")
        ] = None,
    ) -> None:
        """Manage pools until asked to stop. Of several managers of a scope one acts, the others wait."""
        from trenova_workers._cli_pool_run import dry, manage

        options = _options(pools, data_dir, database_url, {"server.port": port})
        end(lambda: dry(options) if dry_run else manage(options, drain=drain, serve=serve))

    @app.command("status")
    def status(*, pools: File, data_dir: DataDir = None, database_url: Url = None, json_: Json = False) -> None:
        """Show the pools, their workers, and who manages them."""
        from trenova_workers._cli_pool_output import shown_status

        async def ask(desk: "PoolDesk") -> str:
            return shown_status(await desk.pools(), await desk.workers(), as_json=json_)

        _ask(_options(pools, data_dir, database_url), ask)

    @app.command("decisions")
    def decisions(
        pool: Pool,
        *,
        pools: File,
        limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
        changes: Annotated[bool, typer.Option("--changes", help="Only those that changed the number.")] = False,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Show what was decided about a pool, newest first, and why."""
        from trenova_workers._cli_pool_output import shown_decisions

        async def ask(desk: "PoolDesk") -> str:
            return shown_decisions(await desk.decisions(pool, limit=limit, changes=changes), as_json=json_)

        _ask(_options(pools, data_dir, database_url), ask)

    @app.command("override")
    def override(
        pool: Pool,
        count: Annotated[int, typer.Argument(min=0, max=10_000, help="Workers.")],
        *,
        pools: File,
        for_: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as 90m, 2h or 1d.")],
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Fix the number of workers for a while, whatever the load."""
        lasts = _seconds(for_)

        async def order(desk: "PoolDesk") -> str:
            from datetime import timedelta

            until = await desk.now() + timedelta(seconds=lasts)
            return _told(await desk.override(pool, count, until, reason, _clerk()), as_json=json_)

        _ask(_options(pools, data_dir, database_url), order)

    @app.command("pause")
    def pause(
        pool: Pool,
        *,
        pools: File,
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Leave a pool at its number of workers; those that crash are still made up for."""

        async def order(desk: "PoolDesk") -> str:
            return _told(await desk.pause(pool, reason, _clerk()), as_json=json_)

        _ask(_options(pools, data_dir, database_url), order)

    @app.command("resume")
    def resume(
        pool: Pool,
        *,
        pools: File,
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Let load decide again: neither pause nor override is left, and a crash loop is tried anew."""

        async def order(desk: "PoolDesk") -> str:
            return _told(await desk.resume(pool, reason, _clerk()), as_json=json_)

        _ask(_options(pools, data_dir, database_url), order)

    return app


def _options(file: Path, data_dir: Path | None, url: str | None, more: dict[str, Any] | None = None) -> "PoolsOptions":
    try:
        from trenova_workers.pool._config import load_pools
    except ModuleNotFoundError as error:
        typer.echo(f"error: {_NEEDS} ({error.name} is missing).", err=True)
        raise typer.Exit(2) from None
    try:
        return load_pools(file, {"data_dir": data_dir, "database.url": url, **(more or {})})
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2) from None


def _ask(options: "PoolsOptions", question: Callable[["PoolDesk"], Awaitable[str]]) -> None:
    async def work() -> None:
        from trenova_workers.pool._desk import PoolDesk
        from trenova_workers.pool._running import open_store

        async with open_store(options) as store:
            typer.echo(await question(PoolDesk(store, options.scope, options.pools)))

    end(work)


def end(verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it: 2 where a setting does not hold or cannot be reached, 1 for any other failure."""
    try:
        asyncio.run(verb())
    except ApplicationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2 if isinstance(error, ConfigurationError) else 1) from None


def _clerk() -> "Clerk":
    from trenova_workers.pool._desk import Clerk

    name = os.environ.get("USER") or "unknown"
    with suppress(KeyError, OSError, ImportError):
        name = getpass.getuser()
    return Clerk(name, "cli")


def _told(report: Any, *, as_json: bool) -> str:
    from trenova_workers._cli_pool_output import shown_pool

    return shown_pool(report, as_json=as_json)


def _seconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not number.isdecimal() or int(number) == 0:
        raise typer.BadParameter(f"--for takes a time such as 90m, 2h or 1d; got {text!r}.")
    return int(number) * _SECONDS[unit]
