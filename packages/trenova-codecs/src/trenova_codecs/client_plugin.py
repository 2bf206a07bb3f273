"""The codec of command line tools, found by them in the entry-point group ``trenova.client_plugins``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from temporalio.client import Plugin

from trenova_codecs._options import CodecOptions, EncryptionOptions, KeyEnvironment, KeyFile
from trenova_codecs._plugin import CodecPlugin
from trenova_errors import ConfigurationError

__all__ = ["plugin"]

_RING: Final = "TRENOVA_CODECS_RING"
_PLAIN: Final = "TRENOVA_CODECS_PLAIN"
_ENV: Final = "TRENOVA_ENV"
_DEV: Final = "dev"
_KEY_VARIABLES: Final = "TEMPORAL_ENCRYPTION_"
_RING_FILE: Final = "keyring.json"


def plugin(environ: Mapping[str, str]) -> Plugin | None:
    """Return the plugin for the keys of this machine, or None where it is said that there are none.

    The ring that ``TRENOVA_CODECS_RING`` names; else ``keyring.json`` in ``TRENOVA_DATA_DIR`` (``.trenova`` unless
    set); else the keys in ``TEMPORAL_ENCRYPTION_...`` variables. Plain payloads are accepted with a warning, since a
    tool may look at what was stored before there was encryption.

    Without keys a tool would write in clear, so that has to be asked for with ``TRENOVA_CODECS_PLAIN=1``, and is
    refused where ``TRENOVA_ENV`` is anything but ``dev``.

    Args:
        environ: The environment of the process.

    Raises:
        CodecError: The ring cannot be read.
        ConfigurationError: A key is none, the active one is not named, or there are no keys.
    """
    named = environ.get(_RING)
    ring = Path(named or Path(environ.get("TRENOVA_DATA_DIR") or ".trenova") / _RING_FILE)
    if named or ring.exists():
        keys: KeyFile | KeyEnvironment = KeyFile(path=ring)
    elif any(name.startswith(_KEY_VARIABLES) for name in environ):
        keys = KeyEnvironment(source="environment")
    else:
        _refuse_unless_plain(environ, ring)
        return None
    encryption = EncryptionOptions(keys=keys, on_plaintext="warn", prove_keys=False)
    return CodecPlugin(CodecOptions(encryption=encryption), environ=environ)


def _refuse_unless_plain(environ: Mapping[str, str], ring: Path) -> None:
    env = environ.get(_ENV) or _DEV
    if env != _DEV:
        cure = f"With {_ENV}={env} {_PLAIN} does not count"
    elif environ.get(_PLAIN) == "1":
        return
    else:
        cure = f"Where nothing is to be encrypted, set {_PLAIN}=1"
    raise ConfigurationError(
        f"There are no keys to encrypt with, so nothing was sent: {_RING} is not set, there is no {str(ring)!r} "
        f"({_RING_FILE} in TRENOVA_DATA_DIR), and no {_KEY_VARIABLES}... variable. Name the ring of the workers with "
        f"one of them. {cure}."
    )
