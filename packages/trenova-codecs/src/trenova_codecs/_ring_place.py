"""Where the key ring of a machine lies, as every command and tool here looks for it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trenova_errors import ConfigurationError

RING_VARIABLE: Final = "TRENOVA_CODECS_RING"
"""Names the ring file; goes before the data folder."""
DATA_VARIABLE: Final = "TRENOVA_DATA_DIR"
"""Names the data folder of ``trenova-workers up`` and of the services."""
DATABASE_VARIABLE: Final = "TRENOVA_SERVER_DATABASE"
"""Where ``trenova-workers up`` says that a server's database is there already."""
RING_FILE: Final = "keyring.json"
KEY_VARIABLES: Final = "TEMPORAL_ENCRYPTION_"
"""How variables that hold keys begin; they count where no ring is named and none is in the data folder."""

_DATA_DIR: Final = ".trenova"
_DATABASE_FILE: Final = "temporal.db"
"""The server's database in a data folder, as ``trenova-workers up`` names it."""


def default_ring(environ: Mapping[str, str]) -> Path:
    """Return the ring of the data folder, which is meant where none is named."""
    return Path(environ.get(DATA_VARIABLE) or _DATA_DIR) / RING_FILE


def why_there(ring: Path, environ: Mapping[str, str]) -> str:
    """Say what made a command look at this file, and how to name another; empty for one that ``--ring`` named."""
    named = environ.get(RING_VARIABLE)
    if named and _same(ring, Path(named)):
        return f"{RING_VARIABLE} names it."
    if named or not _same(ring, default_ring(environ)):
        return ""
    if environ.get(DATA_VARIABLE):
        return f"It is the ring of the data folder ({DATA_VARIABLE}). Name another with --ring or {RING_VARIABLE}."
    return f"It was looked for there as neither --ring nor {RING_VARIABLE} nor {DATA_VARIABLE} says otherwise."


def server_database(ring: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the database of a Temporal server that has stored payloads beside a ring, if there is one."""
    if told := environ.get(DATABASE_VARIABLE):
        return Path(told)
    database = ring.parent / _DATABASE_FILE
    return database if os.path.lexists(database) else None


def require_no_database(ring: Path, environ: Mapping[str, str]) -> None:
    """Refuse to begin a ring where payloads are stored already: it could read none of them.

    Raises:
        ConfigurationError: There is a server's database.
    """
    if database := server_database(ring, environ):
        raise ConfigurationError(
            f"There is no key ring {str(ring)!r}, but a Temporal server has stored payloads in {str(database)!r} "
            "before. If they are encrypted, put the ring back where it was. If they are not, run "
            f"'trenova-codecs keys init --adopt --ring {ring}', which reads them for a while."
        )


def _same(one: Path, other: Path) -> bool:
    return os.path.abspath(one) == os.path.abspath(other)  # noqa: PTH100 - a link is not what was looked for
