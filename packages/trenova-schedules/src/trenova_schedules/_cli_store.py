"""Which store a command uses, and how it says that one is not there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from temporalio.client import Client

from trenova_errors import ApplicationError
from trenova_schedules._cli_connect import FAILED, MISCONFIGURED

if TYPE_CHECKING:
    from trenova_schedules.store import ScheduleStore, StoreOptions

Result = TypeVar("Result")

Url = Annotated[
    str | None,
    typer.Option(
        envvar="TRENOVA_DATABASE__URL",
        show_default="an SQLite file in the data folder",
        help="Database URL, e.g. postgresql://user:password@host/name.",
    ),
]
DataDir = Annotated[
    Path, typer.Option(envvar="TRENOVA_DATA_DIR", help="Folder of the SQLite file, where no URL is given.")
]
DEFAULT_DATA_DIR = Path(".trenova")
FILE = "tms.db"
"""Of the data folder: where the services keep the store unless they are told another database."""
PROFILE = "temporal.toml"
"""Of the data folder: how to reach the server of ``trenova-workers up``."""
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def store_options(url: str | None, data_dir: Path) -> "StoreOptions":
    """Build the options of a command line; a usage error names what is wrong with the URL, not the URL."""
    from pydantic import ValidationError

    try:
        from trenova_schedules.store import StoreOptions

        return StoreOptions(url=url or f"sqlite:///{{data_dir}}/{FILE}").within(data_dir.resolve())
    except ValidationError as error:
        parts = error.errors(include_input=False, include_url=False)
        reasons = "; ".join(str(part["msg"]).removeprefix("Value error, ") for part in parts)
        raise typer.BadParameter(reasons, param_hint="--url") from None
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None


def with_store(url: str | None, data_dir: Path, work: "Callable[[ScheduleStore], Awaitable[Result]]") -> Result:
    """Open the store that is there and do a command's work; a failure is one line and an exit status."""
    from sqlalchemy.engine import make_url

    options = store_options(url, data_dir)
    path = make_url(options.url).database
    if options.is_sqlite and path and not Path(path).exists():
        typer.echo(f"There is no database {path}. Run 'trenova-schedules db migrate' to create it.", err=True)
        raise typer.Exit(MISCONFIGURED)
    return run_store(options, work)


def run_store(options: "StoreOptions", work: "Callable[[ScheduleStore], Awaitable[Result]]") -> Result:
    """Do work on a store, there or not."""

    async def opened() -> Result:
        from trenova_schedules.store import ScheduleStore

        async with ScheduleStore.open(options) as store:
            return await work(store)

    try:
        return asyncio.run(opened())
    except ApplicationError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(FAILED) from None
    except ModuleNotFoundError as error:  # the driver
        raise _not_installed(error) from None


@asynccontextmanager
async def store_beside(client: Client, url: str | None, data_dir: Path) -> "AsyncIterator[ScheduleStore | None]":
    """Open the store that belongs to the server of a client; None where there is none.

    Without a URL that is the file of the data folder, if ``trenova-workers up`` of that folder runs the server: what is
    done to schedules of another server has no place in it.
    """
    options = store_options(url, data_dir) if url is not None or _runs_here(client, data_dir) else None
    if options is None or (url is None and not (data_dir / FILE).exists()):
        yield None
        return
    from trenova_schedules.store import ScheduleStore

    async with ScheduleStore.open(options) as store:
        yield store if url is not None or await store.is_current() else None


def _runs_here(client: Client, data_dir: Path) -> bool:
    """Whether the client's server is the one of the data folder, as the profile that ``up`` leaves there says."""
    from temporalio.envconfig import ClientConfigProfile

    try:
        told = ClientConfigProfile.load(config_source=data_dir / PROFILE, disable_env=True).address or ""
    except (RuntimeError, OSError):
        return False
    host, _, port = client.service_client.config.target_host.rpartition(":")
    own, _, own_port = told.rpartition(":")
    return port == own_port and (host == own or {host, own} <= _LOOPBACK)


def time_of(text: str | None, *, name: str, default: datetime) -> datetime:
    """Read a time of the command line: ISO 8601, UTC where it names no zone, or how long ago, such as ``7d`` or ``2h``.

    Raises:
        typer.BadParameter: It is neither.
    """
    if text is None:
        return default
    units = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
    if text[:-1].isdecimal() and text[-1] in units:
        return datetime.now(UTC) - timedelta(seconds=int(text[:-1]) * units[text[-1]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        hint = "write e.g. 2027-10-31T02:00+01:00, 2027-10-31 or 7d"
        raise typer.BadParameter(f"{text!r} is no time; {hint}", param_hint=f"--{name}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _not_installed(error: ModuleNotFoundError) -> Any:
    extras = "'trenova-schedules[database,sqlite]' or 'trenova-schedules[database,postgresql]'"
    typer.echo(f"The module {error.name!r} is not installed. Install {extras}.", err=True)
    return typer.Exit(MISCONFIGURED)
