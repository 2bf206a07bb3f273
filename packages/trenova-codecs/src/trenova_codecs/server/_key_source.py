"""Where a server's keys come from, as data."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from trenova_codecs._keys import KeyRing
from trenova_codecs._ring_sources import RingFileSource
from trenova_codecs._ring_watch import LoadedKeys

RING_FILE: Final = "keyring.json"
"""Name of the ring in a data folder, as ``trenova-codecs keys init`` makes it."""


class KeySourceOptions(BaseModel):
    """One source of keys.

    Attributes:
        kind: ``file`` (made by ``trenova-codecs keys init``), ``directory`` (a mounted secret), ``environ``
            (``TEMPORAL_ENCRYPTION_KEY_<id>``) or ``aws-kms`` (a file whose keys AWS KMS has sealed).
        path: The file or the folder; for files by default ``keyring.json`` in the data folder.
        region: Of AWS KMS, where the file does not say.
        endpoint_url: Another address of AWS KMS.
        optional: Serve without keys while a ring file is not there yet, and take it up once it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["file", "directory", "environ", "aws-kms"] = "file"
    path: Path | None = None
    region: str | None = None
    endpoint_url: str | None = None
    optional: bool = False


def open_ring(options: KeySourceOptions, data_dir: Path, environ: Mapping[str, str]) -> KeyRing:
    """Return the ring, which follows its source.

    Raises:
        KeyRingError: It is not there, or is no key ring.
        ConfigurationError: A key is none.
    """
    path = options.path or data_dir / RING_FILE
    if options.kind == "environ":
        return KeyRing.from_environ(environ)
    if options.kind == "directory":
        return KeyRing.from_directory(path)
    if options.kind == "aws-kms":
        return KeyRing.from_aws_kms(path, region=options.region, endpoint_url=options.endpoint_url)
    return KeyRing.from_source(_OptionalRingFile(path)) if options.optional else KeyRing.from_file(path)


@dataclass(frozen=True)
class _OptionalRingFile(RingFileSource):
    """A ring file that may come later; there are no keys until then."""

    def stamp(self) -> Hashable:
        return super().stamp() if self.path.exists() else None

    def load(self) -> LoadedKeys:
        return super().load() if self.path.exists() else LoadedKeys([])
