"""The codec of command line tools, found by them in the entry-point group ``trenova.client_plugins``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from temporalio.client import Plugin

from trenova_codecs._options import CodecOptions, EncryptionOptions, KeyEnvironment, KeyFile
from trenova_codecs._plugin import CodecPlugin

__all__ = ["plugin"]

_RING: Final = "TRENOVA_CODECS_RING"
_ACTIVE_KEY: Final = "TEMPORAL_ENCRYPTION_ACTIVE_KEY"
_RING_FILE: Final = "keyring.json"


def plugin(environ: Mapping[str, str]) -> Plugin | None:
    """Return the plugin for the keys of this machine, or None where there are none.

    The ring that ``TRENOVA_CODECS_RING`` names; else ``keyring.json`` in ``TRENOVA_DATA_DIR`` (``.trenova`` unless
    set); else the keys in ``TEMPORAL_ENCRYPTION_...`` variables. Plain payloads are accepted with a warning, since a
    tool may look at what was stored before there was encryption.

    Args:
        environ: The environment of the process.

    Raises:
        CodecError: The ring cannot be read.
        ConfigurationError: A key is none.
    """
    named = environ.get(_RING)
    ring = Path(named or Path(environ.get("TRENOVA_DATA_DIR") or ".trenova") / _RING_FILE)
    if named or ring.exists():
        keys: KeyFile | KeyEnvironment = KeyFile(path=ring)
    elif environ.get(_ACTIVE_KEY):
        keys = KeyEnvironment(source="environment")
    else:
        return None
    encryption = EncryptionOptions(keys=keys, on_plaintext="warn", prove_keys=False)
    return CodecPlugin(CodecOptions(encryption=encryption), environ=environ)
