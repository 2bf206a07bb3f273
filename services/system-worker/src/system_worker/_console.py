"""The dashboard of schedules, with the ledger that this worker fills."""

import os
from pathlib import Path
from typing import Any

from temporalio.client import Client

from system_worker._settings import Settings
from trenova_errors import ConfigurationError
from trenova_workers import ConsoleAddress

CONFIG = "TRENOVA_SCHEDULES_SERVER_CONFIG"


async def serve_console(settings: Settings, client: Client, told: ConsoleAddress) -> None:
    """Serve it until SIGTERM or SIGINT.

    Its options are those of ``trenova-schedules serve``: ``TRENOVA_SCHEDULES_SERVER_...`` and the file that
    ``TRENOVA_SCHEDULES_SERVER_CONFIG`` names. The database is this worker's. The page of workers asks the pool manager
    of ``up``, of the setting ``pool_manager``, or of this data folder.

    Raises:
        ConfigurationError: An option does not hold, or others could reach it unasked.
    """
    # A worker does without the server, whose import would make its start half as long again.
    from system_worker._pools import open_pools
    from trenova_access import AccessConfigurationError
    from trenova_schedules.server import load_options, serve

    flags: dict[str, Any] = {
        "port": told.port,
        "data_dir": settings.data_dir,
        "database.url": settings.database.within(settings.data_dir).url,
        "dashboard.temporal_ui": told.origins[0] if told.origins else None,
    }
    file = os.environ.get(CONFIG)
    try:
        options = load_options(Path(file) if file else None, os.environ, flags)
        async with open_pools(settings.pool_manager, settings.data_dir, told.pools) as pools:
            say = _say if told.file is None else _discard
            await serve(options, client, say=say, file=told.file, pools=pools)
    except AccessConfigurationError as error:
        raise ConfigurationError(str(error)) from None


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a program's own words for its user


def _discard(_: str) -> None:
    """Leave it to ``up``, which finds the same in the file."""
