"""What every command does first and last: connect, and say a failure in one line."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import typer
from temporalio.client import Client, Plugin
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ErrorKind

Result = TypeVar("Result")

FAILED: Final = 1
"""Exit status where nothing was done, or not all of it."""
MISCONFIGURED: Final = 2
"""Exit status where the configuration or the command line does not hold."""
CONFLICT: Final = 4
"""Exit status where somebody else has changed the schedule meanwhile."""

_STATUS: Final = {ErrorKind.CONFIGURATION: MISCONFIGURED, ErrorKind.CONFLICT: CONFLICT}


async def connect() -> Client:
    """Connect as ``temporalio.envconfig`` says, to localhost:7233 if it says nothing.

    Raises:
        UnavailableError: No server lets us in.
        ConfigurationError: The profile or the keys do not hold.
    """
    from trenova_errors.connecting import installed_plugins

    return await _connect(installed_plugins(os.environ))


async def connect_to_read() -> Client:
    """Connect likewise, also with a codec that does not work: who only looks writes nothing in clear.

    What is wrong with the codec is said on standard error.

    Raises:
        UnavailableError: No server lets us in.
    """
    try:
        return await connect()
    except ApplicationError as error:
        if error.kind is not ErrorKind.CONFIGURATION:
            raise
        typer.echo(f"What is encrypted is not shown. {error.message}", err=True)
        return await _connect([])


async def _connect(plugins: Sequence[Plugin]) -> Client:
    from trenova_errors import ErrorsPlugin
    from trenova_errors.connecting import connect_config, connected

    return await connected(connect_config(os.environ), plugins=[ErrorsPlugin(), *plugins])


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
