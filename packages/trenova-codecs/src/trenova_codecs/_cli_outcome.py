"""How every command of ``trenova-codecs`` ends: its result on stdout, or one sentence on stderr."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer

from trenova_codecs._errors import CodecError, NoActiveKeyError
from trenova_codecs._exit_status import exit_status
from trenova_codecs._ring_place import why_there
from trenova_codecs._side import Side
from trenova_errors import ApplicationError, ErrorKind

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result], ring: Path | None = None) -> Result:
    """Run to the end and return the result; a typed error becomes its sentence and an exit status."""
    with told(ring):
        return asyncio.run(work)


@contextmanager
def told(ring: Path | None = None) -> Iterator[None]:
    """Print a typed error as one sentence on stderr and leave with 2 (refused) or 1 (failed).

    Args:
        ring: The ring file that is worked on; an error about keys says which it was, and why that one.
    """
    try:
        yield
    except ApplicationError as error:
        # Nobody waits at a command line, so that missing keys are a setting to correct and nothing to retry.
        mine = error.met_on(Side.CALLER) if isinstance(error, CodecError) else error
        typer.secho(_with_ring(mine, ring), fg="red", err=True)
        raise typer.Exit(exit_status(mine)) from None


def _with_ring(error: ApplicationError, ring: Path | None) -> str:
    """Say which ring an error is about, and why that one where another may have been meant."""
    if ring is None:
        return error.message
    path = error.facts.get("path")
    lost = isinstance(error, NoActiveKeyError) or (
        isinstance(path, str) and os.path.realpath(path) == os.path.realpath(ring)
    )
    of_a_key = "key_id" in error.facts
    unknown = of_a_key and error.type == ErrorKind.RESOURCE_NOT_FOUND
    named = lost or unknown or (of_a_key and error.type == ErrorKind.CONFLICT)
    return " ".join(
        part
        for part in (
            error.message,
            f"The ring is {str(ring)!r}." if named and str(ring) not in error.message else "",
            why_there(ring, os.environ) if lost or unknown else "",
        )
        if part
    )
