"""What every command does first and last: connect, and say a failure in one line."""

import asyncio
import getpass
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import typer
from temporalio.client import Client, Plugin
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError, ErrorKind, UnavailableError

Result = TypeVar("Result")

FAILED: Final = 1
"""Exit status where nothing was done, or not all of it."""
MISCONFIGURED: Final = 2
"""Exit status where the configuration or the command line does not hold."""
CONFLICT: Final = 4
"""Exit status where somebody else has changed the schedule meanwhile."""

_DEFAULT_ADDRESS: Final = "localhost:7233"
_TOML: Final = re.compile(r"TOML parse error at line \d+, column \d+")  # what follows shows the line: maybe the API key
_PLUGINS: Final = "trenova.client_plugins"
_STATUS: Final = {ErrorKind.CONFIGURATION: MISCONFIGURED, ErrorKind.CONFLICT: CONFLICT}


async def connect() -> Client:
    """Connect as ``temporalio.envconfig`` says, to localhost:7233 if it says nothing.

    Raises:
        UnavailableError: Nobody answers there.
        ConfigurationError: The profile or the keys do not hold.
    """
    return await _connect(installed_plugins(os.environ))


async def connect_to_read() -> Client:
    """Connect likewise, also with a codec that does not work: who only looks writes nothing in clear.

    What is wrong with the codec is said on standard error.

    Raises:
        UnavailableError: Nobody answers there.
    """
    try:
        return await connect()
    except ApplicationError as error:
        if error.kind is not ErrorKind.CONFIGURATION:
            raise
        typer.echo(f"What is encrypted is not shown. {error.message}", err=True)
        return await _connect([])


async def _connect(plugins: Sequence[Plugin]) -> Client:
    from temporalio.envconfig import ClientConfig

    from trenova_errors import ErrorsPlugin

    try:
        config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    except RuntimeError as error:  # the base of what the SDK raises, whose own class is not public
        place = _TOML.search(str(error))
        raise ConfigurationError(
            f"The connection is not configured as it should be: {place[0] if place else error}. Look at "
            "TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the profile file."
        ) from None
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    try:
        return await Client.connect(**config, plugins=[ErrorsPlugin(), *plugins])
    except RuntimeError as error:  # how the SDK says that nobody listens; its text names its own transport only
        raise UnavailableError(
            f"No Temporal server answers at {config['target_host']}. Start one with 'trenova-workers up', "
            "or name another with TEMPORAL_ADDRESS."
        ) from error


def installed_plugins(environ: Mapping[str, str]) -> list[Plugin]:
    """Return what installed packages add to a client, such as the codec that the workers use.

    An entry point of the group ``trenova.client_plugins`` is a function that takes the environment and returns a
    plugin, or None where it has nothing to do.
    """
    from importlib.metadata import entry_points

    made = [point.load()(environ) for point in entry_points(group=_PLUGINS)]
    return [plugin for plugin in made if plugin is not None]


def run(work: Callable[[Client], Awaitable[Result]], *, reads: bool = False) -> Result:
    """Connect and do a command's work; a failure is one line on standard error and an exit status.

    The status is :data:`CONFLICT` where somebody else was first, :data:`MISCONFIGURED` where the configuration does
    not hold, otherwise :data:`FAILED`.

    Args:
        work: What to do with the connection.
        reads: Whether it only looks, so that it may be done without the keys of the workers.
    """

    async def connected() -> Result:
        return await work(await (connect_to_read if reads else connect)())

    try:
        return asyncio.run(connected())
    except ApplicationError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(_STATUS.get(error.kind, FAILED)) from None
    except RPCError as error:
        typer.echo(f"Temporal answers {error.status.name}: {error.message}", err=True)
        raise typer.Exit(FAILED) from None


def user_of_this_system(by: str | None) -> str:
    """Return who asks: what was said, or the name of the user who runs the command."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has no name
        return "unknown"
