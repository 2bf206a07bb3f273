"""How every command of ``trenova-codecs`` ends: its result on stdout, or one sentence on stderr."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from trenova_errors import ApplicationError, ErrorKind

Result = TypeVar("Result")

REFUSED = 2
"""Exit status where an argument or a setting is wrong; 1 is for everything else that failed."""


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end and return the result; a typed error becomes its sentence and an exit status."""
    with told():
        return asyncio.run(work)


@contextmanager
def told() -> Iterator[None]:
    """Print a typed error as one sentence on stderr and leave with 2 (refused) or 1 (failed)."""
    try:
        yield
    except ApplicationError as error:
        typer.secho(error.message, fg="red", err=True)
        refused = error.type in {ErrorKind.CONFIGURATION, ErrorKind.INVALID_INPUT}
        raise typer.Exit(REFUSED if refused else 1) from None
