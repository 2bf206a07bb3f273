"""``trenova-schedules`` as a person types it, in this process: to import it again takes longer than most commands."""

import asyncio
from collections.abc import Mapping
from functools import partial

from typer.testing import CliRunner

from trenova_schedules import _cli_output
from trenova_schedules.cli import app

WITHIN_S = 60
WIDTH = 200
"""Columns; an output reads ``COLUMNS`` once, when it is made."""


async def typed(environ: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Run a command in a thread, where it has a loop of its own.

    Returns:
        The exit status, and what was printed to standard output and to standard error.
    """
    _cli_output.console.width = _cli_output.asides.width = WIDTH
    done = await asyncio.wait_for(asyncio.to_thread(partial(CliRunner().invoke, app, words, env=environ)), WITHIN_S)
    return done.exit_code, done.stdout, done.stderr
