"""The codec of command line tools, found by them in the entry-point group ``trenova.client_plugins``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from temporalio.client import Plugin

from trenova_codecs._codec_variables import options, told
from trenova_codecs._plugin import CodecPlugin
from trenova_codecs._ring_place import (
    DATA_VARIABLE,
    ENV_VARIABLE,
    KEY_VARIABLES,
    RING_FILE,
    RING_VARIABLE,
    SOURCE_VARIABLE,
    default_ring,
    keys_told,
)
from trenova_errors import ConfigurationError

__all__ = ["plugin"]

_PLAIN: Final = "TRENOVA_CODECS_PLAIN"
_DEV: Final = "dev"
_OF_TOOLS: Final[Mapping[str, Any]] = {"on_plaintext": "warn", "prove_keys": False}


def plugin(environ: Mapping[str, str]) -> Plugin | None:
    """Return the plugin for the keys of this machine, or None where it is said that there are none.

    The keys are those of the first of these that is there:

    1. the ring that ``TRENOVA_CODECS_RING`` names, the tools' own variable;
    2. the source that the services are told of: ``TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE`` and what it needs, with
       ``{data_dir}`` in a path; a path alone is that of a ring file;
    3. ``keyring.json`` in ``TRENOVA_DATA_DIR`` (``.trenova`` unless set);
    4. the keys in ``TEMPORAL_ENCRYPTION_...`` variables.

    Every other ``TRENOVA_CODEC__...`` variable counts as for the services, wherever the keys come from. Plain payloads
    are accepted with a warning unless it says otherwise, since a tool may look at what was stored before there was
    encryption.

    Without keys a tool would write in clear, so that has to be asked for with ``TRENOVA_CODECS_PLAIN=1``, and is
    refused where ``TRENOVA_ENV`` is anything but ``dev``. ``TRENOVA_CODEC__ENCRYPTION=null`` asks for it too.

    Args:
        environ: The environment of the process.

    Raises:
        CodecError: The ring cannot be read.
        ConfigurationError: A variable says what cannot be, a key is none, the active one is not named, or there are
            no keys.
    """
    tree = told(environ)
    ring = default_ring(environ)
    if "encryption" in tree and tree["encryption"] is None and not environ.get(RING_VARIABLE):
        return CodecPlugin(options(tree).require_protection(environ.get(ENV_VARIABLE) or _DEV))
    encryption = tree["encryption"] = {**_OF_TOOLS, **(tree.get("encryption") or {})}
    keys = _keys(environ, keys_told(tree), ring)
    if keys is None:
        _refuse_unless_plain(environ, ring)
        return None
    encryption["keys"] = keys
    return CodecPlugin(options(tree).within(ring.parent), environ=environ)


def _keys(environ: Mapping[str, str], asked: Any, ring: Path) -> Any:
    """Return the source of the keys as options hold it; None where there is none."""
    if named := environ.get(RING_VARIABLE):
        return {"source": "file", "path": named}
    if asked is not None:
        return asked
    if ring.exists():
        return {"source": "file", "path": str(ring)}
    if any(name.startswith(KEY_VARIABLES) for name in environ):
        return {"source": "environment"}
    return None


def _refuse_unless_plain(environ: Mapping[str, str], ring: Path) -> None:
    env = environ.get(ENV_VARIABLE) or _DEV
    if env != _DEV:
        cure = f"With {ENV_VARIABLE}={env} {_PLAIN} does not count"
    elif environ.get(_PLAIN) == "1":
        return
    else:
        cure = f"Where nothing is to be encrypted, set {_PLAIN}=1"
    raise ConfigurationError(
        f"There are no keys to encrypt with, so nothing was sent: {RING_VARIABLE} is not set, "
        f"{SOURCE_VARIABLE} of the workers neither, there is no {str(ring)!r} "
        f"({RING_FILE} in {DATA_VARIABLE}), and no {KEY_VARIABLES}... variable. Name the keys of the workers with "
        f"one of them. {cure}."
    )
