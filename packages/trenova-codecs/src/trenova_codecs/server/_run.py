"""The process of a codec server: logging, metrics, the loop, and how it ends."""

import asyncio
import logging
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from trenova_access import AccessConfigurationError
from trenova_access.serving import expose_metrics
from trenova_codecs._exit_status import REFUSED, exit_status
from trenova_codecs.server._console import console_options
from trenova_codecs.server._key_source import check_assigned, open_ring
from trenova_codecs.server._options import ServeOptions
from trenova_codecs.server._serve import serve
from trenova_codecs.server._settings import load_options
from trenova_errors import ApplicationError


def run_server(config: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> int:
    """Run ``trenova-codecs serve``; the exit status: 0 stopped, 1 failed, 2 refused for an option."""
    typed = frozenset(flags.get("namespaces") or ())
    return _ended(lambda: _run(load_options(config, environ, flags), environ, None, typed))


def run_console(environ: Mapping[str, str]) -> int:
    """Run the server as ``trenova-workers up`` starts it; the exit status is that of :func:`run_server`."""

    def console() -> None:
        options, file = console_options(environ)
        _run(options, environ, file, frozenset())

    return _ended(console)


def _run(options: ServeOptions, environ: Mapping[str, str], file: Path | None, typed: Collection[str]) -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ring = open_ring(options, environ)
    if not options.keys_optional and options.codec.encryption is not None:
        check_assigned(options, ring, typed)
    asyncio.run(serve(options, ring, exposition=expose_metrics(), file=file, say=_discard if file else _say))


def _discard(_: str) -> None:
    """Leave it to ``up``, which finds the same in the file."""


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a program's own words for its user


def _ended(work: Callable[[], None]) -> int:
    try:
        work()
    except AccessConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except ApplicationError as error:
        sys.stderr.write(f"{error.message}\n")
        return exit_status(error)
    return 0
