"""``python -m trenova_codecs.first_ring``: the key ring of one machine, made before anything is stored there.

``trenova-workers up`` runs it before it starts its Temporal server (entry-point group ``trenova.preparations``). It is
told ``TRENOVA_DATA_DIR``, and in ``TRENOVA_SERVER_DATABASE`` the server's database if there is one already. Exit status
2 (refused) or 1 (failed), with the reason on stderr, stops ``up``.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final

from trenova_codecs._exit_status import exit_status
from trenova_codecs._key_text import new_secret
from trenova_codecs._ring_archive import require_no_archive
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, RingDocument
from trenova_codecs._ring_place import default_ring, require_no_database
from trenova_codecs._ring_storage import create_ring, read_ring
from trenova_errors import ApplicationError

__all__ = ["make_first_ring"]

_FIRST: Final = "k1"
_SOURCE: Final = "CODEC__ENCRYPTION__KEYS__"


def make_first_ring(environ: Mapping[str, str]) -> str:
    """Make ``keyring.json`` in the data folder unless it is there, or the keys come from elsewhere.

    Args:
        environ: The environment of the process.

    Returns:
        What was done, in a sentence; empty if nothing had to be.

    Raises:
        ConfigurationError: There is no ring, but a server's database, which holds what a new ring cannot read.
        ConflictError: There is no ring, but the archive of one.
        CodecError: The ring cannot be read or written.
    """
    if any(_SOURCE in name for name in environ):
        return ""
    ring = default_ring(environ)
    if ring.exists():
        read_ring(ring)
        return ""
    require_no_database(ring, environ)
    require_no_archive(ring)
    document = promoted(added(RingDocument(revision=1), _FIRST, AesMaterial.of(new_secret())), _FIRST)
    create_ring(ring, document.model_copy(update={"revision": 1}))
    return f"made the key ring {ring} with key {_FIRST!r}; without it nothing that is stored can be read again"


def main() -> int:
    """Make the ring as the environment says; the exit status."""
    try:
        said = make_first_ring(os.environ)
    except ApplicationError as error:
        sys.stderr.write(f"{error.message}\n")
        return exit_status(error)
    if said:
        sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
