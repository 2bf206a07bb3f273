"""The key ring of a server."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from trenova_codecs._key_ring import KeyRing
from trenova_codecs._keys import KeyProvider
from trenova_codecs._ring_sources import RingFileSource
from trenova_codecs._ring_watch import LoadedKeys
from trenova_codecs.server._options import ServeOptions

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


@dataclass(frozen=True)
class _OptionalRingFile(RingFileSource):
    """A ring file that may come later; there are no keys until then."""

    def stamp(self) -> Hashable:
        return super().stamp() if self.path.exists() else None

    def load(self) -> LoadedKeys:
        return super().load() if self.path.exists() else LoadedKeys([])
