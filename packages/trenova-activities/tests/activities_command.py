"""``trenova-activities`` as a person types it, in this process: to import it again takes longer than most commands."""

import asyncio
from functools import partial

from temporalio.client import Client
from typer.testing import CliRunner

from trenova_activities import _cli_follow
from trenova_activities.cli import app

WITHIN_S = 60


async def typed(client: Client, *words: str) -> tuple[int, str]:
    """Run a command against the server of a client, in a thread where it has a loop of its own.

    Returns:
        The exit status, and all that was printed.
    """
    _cli_follow.console.width = 200
    environ = {
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TRENOVA_CODECS_PLAIN": "1",  # where trenova-codecs is installed, it would want keys
        "COLUMNS": "200",
    }
    command = partial(CliRunner().invoke, app, words, env=environ, prog_name="trenova-activities")
    done = await asyncio.wait_for(asyncio.to_thread(command), WITHIN_S)
    return done.exit_code, done.output
