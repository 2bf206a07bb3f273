"""What lies beside a key ring, and what to do where the ring itself does not."""

import os
from pathlib import Path
from typing import Final

_DATABASE_FILE: Final = "temporal.db"
"""The server's database in a data folder, as ``trenova-workers up`` names it."""


def archive_path(ring: Path) -> Path:
    """Return the archive of a ring: ``keyring.json`` has ``keyring.archive.json``."""
    return ring.with_name(f"{ring.stem}.archive{ring.suffix}")


def database_beside(ring: Path) -> Path | None:
    """Return the database of a Temporal server in the ring's folder, if there is one."""
    database = ring.parent / _DATABASE_FILE
    return database if os.path.lexists(database) else None


def no_ring(ring: Path) -> str:
    """Say that a ring is not there, and what to do.

    A worker whose ring was not distributed must not get one of its own, whose ``k1`` is another key; so making one is
    told last, and not at all where something has been stored already.
    """
    path = str(ring)
    if os.path.lexists(archive := archive_path(ring)):
        why = f"keys of it were retired to {str(archive)!r}"
    elif database := database_beside(ring):
        why = f"a Temporal server has stored payloads in {str(database)!r}"
    else:
        return (
            f"There is no key ring {path!r}. Put the ring of the other workers there, or say where it is (--ring, "
            "TRENOVA_CODECS_RING, or codec.encryption.keys.path of a service). Only where nothing has been stored "
            f"yet, make one with 'trenova-codecs keys init --ring {path}'."
        )
    return (
        f"There is no key ring {path!r}, and {why}. Put the ring back, from another worker or a backup, or say where "
        "it is (--ring, TRENOVA_CODECS_RING, or codec.encryption.keys.path of a service); a new one could not read "
        "what is stored."
    )
