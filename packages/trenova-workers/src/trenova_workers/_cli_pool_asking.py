"""What commands about pools have in common: their options, asking the store, and how they end."""

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

File = Annotated[
    Path,
    typer.Option("--pools", envvar="TRENOVA_POOLS", dir_okay=False, help="The pools, as YAML: docs/worker-pools.md."),
]
Beside = Annotated[
    Path | None,
    typer.Option(
        "--pools",
        envvar="TRENOVA_POOLS",
        dir_okay=False,
        help="The pools, as YAML; those of `up` on the same data folder if absent.",
        show_default=False,
    ),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", help="In place of the file's data_dir.")
]
Url = Annotated[
    str | None, typer.Option("--database-url", envvar="TRENOVA_POOLS_DATABASE_URL", help="In place of the file's.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Pool = Annotated[str, typer.Argument(metavar="POOL", help="Name of the pool.")]


def _told_why(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why, in a few words; the audit trail keeps it.")
    return reason.strip()


Reason = Annotated[
    str,
    typer.Option("--reason", help="Why; the audit trail keeps it.", show_default=False, callback=_told_why),
]


def pools_options(
    file: Path | None, data_dir: Path | None, url: str | None, more: dict[str, Any] | None = None
) -> "PoolsOptions":
    """Read the file of pools, with what flags say on top; end with 2 where it does not hold."""
    try:
        from trenova_workers.pool._config import load_pools, pools_of_up
    except ModuleNotFoundError as error:
        typer.echo(f"error: {_NEEDS} ({error.name} is missing).", err=True)
        raise typer.Exit(2) from None
    try:
        return load_pools(file or pools_of_up(data_dir), {"data_dir": data_dir, "database.url": url, **(more or {})})
    except ConfigurationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2) from None


def ask_desk(
    options: "PoolsOptions", question: Callable[["PoolDesk"], Awaitable[str]], *, orders: bool = False
) -> None:
    """Ask or order something, and print the answer. What no manager has made is neither made nor written to.

    Args:
        options: Where the store is.
        question: Asks or orders.
        orders: Whether it orders something, which needs a manager that heeds it.
    """

    async def work() -> None:
        from trenova_workers.pool._desk import PoolDesk
        from trenova_workers.pool._running import open_kept_store

        async with open_kept_store(options, led=orders) as store:
            typer.echo(await question(PoolDesk(store, options.scope, options.pools)))

    end(work)


def end(verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it: 2 where a setting does not hold or cannot be reached, 1 for any other failure."""
    try:
        asyncio.run(verb())
    except ApplicationError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(2 if isinstance(error, ConfigurationError) else 1) from None


def clerk() -> "Clerk":
    """Return who uses the command line."""
    from trenova_workers.pool._desk import Clerk

    name = os.environ.get("USER") or "unknown"
    with suppress(KeyError, OSError, ImportError):
        name = getpass.getuser()
    return Clerk(name, "cli")
