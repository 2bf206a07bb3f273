"""A key ring file whose keys AWS KMS has sealed.

The file can lie anywhere that the workers can read: without KMS it opens nothing. Every worker asks KMS once
at its start and then once a minute, ahead of any need; what it has opened stays in memory while KMS cannot be
asked, and is dropped as soon as KMS refuses.
"""

import logging
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Final

from trenova_codecs._aws_kms import AwsKms, KmsRefusedError, KmsUnavailableError
from trenova_codecs._key_text import read_base64
from trenova_codecs._keys import Key
from trenova_codecs._ring_document import AwsKmsMaterial, KeyEntry
from trenova_codecs._ring_sources import file_stamp
from trenova_codecs._ring_storage import read_ring
from trenova_codecs._ring_watch import LOCAL_SECONDS, REMOTE_SECONDS, LoadedKeys

MAX_STALE_SECONDS: Final = 12 * 3600.0
"""Seconds for which an opened key is used while KMS cannot be asked."""

_log = logging.getLogger(__name__)


class AwsKmsRingSource:
    """A :class:`KeySource`: a ring file with sealed keys, among others, and KMS to open them.

    Args:
        path: The ring file.
        kms: The connection.
        refresh_seconds: Between questions to KMS; within it a revocation there is felt here.
        max_stale_seconds: For how long an opened key is used while KMS cannot be asked.
        clock: Seconds that only grow.
    """

    interval: float = LOCAL_SECONDS

    def __init__(
        self,
        path: Path,
        kms: AwsKms,
        *,
        refresh_seconds: float = REMOTE_SECONDS,
        max_stale_seconds: float = MAX_STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.reload_seconds = path, refresh_seconds
        self._kms, self._max_stale, self._clock = kms, max_stale_seconds, clock
        self._opened: dict[str, tuple[bytes, float]] = {}
        self._started = False

    def stamp(self) -> Hashable:
        """See :class:`KeySource`."""
        return file_stamp(self.path)

    def load(self) -> LoadedKeys:
        """See :class:`KeySource`.

        Raises:
            KmsUnavailableError: KMS cannot be asked at the start, so that there are no keys at all.
        """
        document = read_ring(self.path)
        outages: list[KmsUnavailableError] = []
        keys = [key for entry in document.keys if (key := self._key(entry, outages))]
        wrapped = {entry.material.wrapped for entry in document.keys if isinstance(entry.material, AwsKmsMaterial)}
        self._opened = {sealed: opened for sealed, opened in self._opened.items() if sealed in wrapped}
        if outages and not keys and not self._started:
            raise outages[0]
        self._started = True
        return LoadedKeys(keys, document.plaintext_until)

    def _key(self, entry: KeyEntry, outages: list[KmsUnavailableError]) -> Key | None:
        if not isinstance(entry.material, AwsKmsMaterial):
            return entry.to_key()
        try:
            secret = self._open(entry.id, entry.material)
        except KmsRefusedError as error:
            self._opened.pop(entry.material.wrapped, None)
            _log.warning("%s", error.message)
            return Key.revoked(entry.id)
        except KmsUnavailableError as error:
            outages.append(error)
            _log.warning("%s It is not held, or was opened too long ago to go on with it.", error.message)
            return None
        return Key(entry.id, secret, state=entry.state)

    def _open(self, key_id: str, material: AwsKmsMaterial) -> bytes:
        wrapped = read_base64(key_id, material.wrapped)
        try:
            secret = self._kms.open(key_id, wrapped, material.kms_key, region=material.region)
        except KmsUnavailableError as error:
            secret, opened = self._opened.get(material.wrapped, (b"", 0.0))
            if not secret or self._clock() - opened > self._max_stale:
                raise
            _log.warning("%s It is used as it was opened %.0f s ago.", error.message, self._clock() - opened)
            return secret
        self._opened[material.wrapped] = (secret, self._clock())
        return secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"
