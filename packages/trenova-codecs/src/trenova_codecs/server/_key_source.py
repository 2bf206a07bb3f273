"""The key ring of a server."""

import logging
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from trenova_codecs._key_ring import KeyRing
from trenova_codecs._keys import KeyProvider
from trenova_codecs._ring_sources import RingFileSource
from trenova_codecs._ring_watch import LoadedKeys
from trenova_codecs.server._options import ServeOptions
from trenova_errors import ConfigurationError

_LOG = logging.getLogger("trenova_codecs.server")

RING_FILE: Final = "keyring.json"
"""Name of the ring in a data folder, as ``trenova-codecs keys init`` makes it."""


def open_ring(options: ServeOptions, environ: Mapping[str, str]) -> KeyProvider:
    """Return the ring, which follows its source; ``keyring.json`` in the data folder where none is named.

    Raises:
        CodecError: It is not there, or is no key ring.
        ConfigurationError: A key is none.
    """
    encryption = options.codec.encryption
    if encryption is None:
        return KeyRing([])
    if encryption.keys is None:
        path = options.data_dir / RING_FILE
        return KeyRing.from_source(_OptionalRingFile(path)) if options.keys_optional else KeyRing.from_file(path)
    return options.codec.open_ring(environ) or KeyRing([])


def check_assigned(options: ServeOptions, ring: KeyProvider, typed: Collection[str]) -> None:
    """Compare the keys that namespaces are assigned with those that the ring holds.

    Ids with ``*`` stand for keys to come. A file may name keys that are still to come or were retired, which must
    not keep a server from starting again; so only what somebody types at the moment is refused.

    Args:
        options: With the namespaces.
        ring: With the keys.
        typed: The namespaces whose keys stand on the command line.

    Raises:
        ConfigurationError: A key id of a typed namespace is not on the ring.
    """
    for name, namespace in options.namespaces.items():
        exact = [one for one in namespace.keys if "*" not in one]
        missing = [one for one in exact if one not in ring.ids() and ring.find(one) is None]
        if not missing:
            continue
        held = ", ".join(ring.ids()) or "no usable key"
        said = f"Namespace {name!r} is assigned {', '.join(map(repr, missing))}; the key ring holds {held}."
        if name in typed:
            raise ConfigurationError(
                f"{said} Correct the id, add the key first, or write a pattern such as 'pay-*' for keys to come."
            )
        _LOG.warning("%s It reads nothing under what is missing until the ring holds it.", said)


@dataclass(frozen=True)
class _OptionalRingFile(RingFileSource):
    """A ring file that may come later; there are no keys until then."""

    def stamp(self) -> Hashable:
        return super().stamp() if self.path.exists() else None

    def load(self) -> LoadedKeys:
        return super().load() if self.path.exists() else LoadedKeys([])
