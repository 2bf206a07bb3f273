"""Where the key ring of a machine lies, as every command and tool here looks for it.

There is one order: what the command line names, ``TRENOVA_CODECS_RING``, what the services are told of
(``TRENOVA_CODEC__ENCRYPTION__KEYS__...``), the data folder's ring. What works with keys and not on a ring file goes on
to the keys in the environment.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from trenova_codecs._codec_variables import PREFIX, Tree, options, told
from trenova_codecs._options import CodecOptions, KeyAwsKms, KeyFile
from trenova_codecs._ring_beside import database_beside
from trenova_errors import ConfigurationError

RING_VARIABLE: Final = "TRENOVA_CODECS_RING"
"""Names the ring file; goes before what the services are told of and the data folder."""
SOURCE_VARIABLE: Final = f"{PREFIX}__ENCRYPTION__KEYS__SOURCE"
"""Names the kind of source that the services have their keys from."""
PATH_VARIABLE: Final = f"{PREFIX}__ENCRYPTION__KEYS__PATH"
"""Names the services' ring file or key folder."""
DATA_VARIABLE: Final = "TRENOVA_DATA_DIR"
"""Names the data folder of ``trenova-workers up`` and of the services."""
ENV_VARIABLE: Final = "TRENOVA_ENV"
"""Says where a process runs; ``dev`` unless set."""
DATABASE_VARIABLE: Final = "TRENOVA_SERVER_DATABASE"
"""Where ``trenova-workers up`` says that a server's database is there already."""
RING_FILE: Final = "keyring.json"
KEY_VARIABLES: Final = "TEMPORAL_ENCRYPTION_"
"""How variables that hold keys begin; they count where no ring is named and none is in the data folder."""
RING_ORDER: Final = f"{RING_VARIABLE}, else {PATH_VARIABLE}, else {RING_FILE} in {DATA_VARIABLE}, or in .trenova"
"""What ``--help`` says of the ring where none is given."""

_DATA_DIR: Final = ".trenova"


def default_ring(environ: Mapping[str, str]) -> Path:
    """Return the ring of the data folder, which is meant where none is named."""
    return Path(environ.get(DATA_VARIABLE) or _DATA_DIR) / RING_FILE


def keys_told(tree: Tree) -> Any:
    """Return the source that the services' variables name, as options hold it; None where they name none."""
    keys = (tree.get("encryption") or {}).get("keys")
    return {"source": "file", **keys} if isinstance(keys, Mapping) and keys else keys or None


def services_codec(environ: Mapping[str, str]) -> CodecOptions | None:
    """Return the services' codec where their variables name a source of keys, with the data folder in its path.

    Raises:
        ConfigurationError: A variable says what cannot be.
    """
    tree = told(environ)
    keys = keys_told(tree)
    if keys is None:
        return None
    tree["encryption"]["keys"] = keys
    return options(tree).within(default_ring(environ).parent)


def ring_of(codec: CodecOptions) -> Path | None:
    """Return the ring file that a codec has its keys from; None where they are from no ring file."""
    keys = codec.encryption.keys if codec.encryption else None
    return keys.path if isinstance(keys, KeyFile | KeyAwsKms) else None


def ring_file(environ: Mapping[str, str]) -> Path:
    """Return the ring file that is meant where no option names one, whether it is there or not.

    Raises:
        ConfigurationError: The services have their keys from no ring file, so that there is nothing to work on; or a
            variable says what cannot be.
    """
    if named := environ.get(RING_VARIABLE):
        return Path(named)
    codec = services_codec(environ)
    if codec is None:
        return default_ring(environ)
    if (path := ring_of(codec)) is not None:
        return path
    source = codec.encryption.keys.source if codec.encryption and codec.encryption.keys else ""
    where = {
        "directory": "Change the files of that folder, or the secret that it is mounted from",
        "environment": f"Change the variables {KEY_VARIABLES}..., or the secret that they are from",
    }.get(source, "Change them there")
    raise ConfigurationError(
        f"The services have their keys from the source {source!r} ({SOURCE_VARIABLE}), which is no ring file, and this "
        f"command works on ring files only. {where}; docs/key-rotation.md says in which order. To work on another "
        f"ring, name it with --ring or {RING_VARIABLE}.",
        variable=SOURCE_VARIABLE,
    )


def why_there(ring: Path, environ: Mapping[str, str]) -> str:
    """Say what made a command look at this file, and how to name another; empty for one that ``--ring`` named."""
    named = environ.get(RING_VARIABLE)
    if named:
        return f"{RING_VARIABLE} names it." if _same(ring, Path(named)) else ""
    of_services = None
    with suppress(ConfigurationError):  # it was said where it was asked for
        if codec := services_codec(environ):
            of_services = ring_of(codec)
    if of_services is not None:
        return f"{PATH_VARIABLE} names it, as for the services." if _same(ring, of_services) else ""
    if not _same(ring, default_ring(environ)):
        return ""
    if environ.get(DATA_VARIABLE):
        return f"It is the ring of the data folder ({DATA_VARIABLE}). Name another with --ring or {RING_VARIABLE}."
    return (
        f"It was looked for there as neither --ring nor {RING_VARIABLE} nor {PATH_VARIABLE} nor {DATA_VARIABLE} says "
        "otherwise."
    )


def server_database(ring: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the database of a Temporal server that has stored payloads beside a ring, if there is one."""
    if told_of := environ.get(DATABASE_VARIABLE):
        return Path(told_of)
    return database_beside(ring)


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
