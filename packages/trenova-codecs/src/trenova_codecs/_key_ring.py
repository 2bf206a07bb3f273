"""Keys in memory, wherever they come from."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from trenova_codecs._errors import NoActiveKeyError
from trenova_codecs._keys import Key, KeyState
from trenova_errors import ConfigurationError

if TYPE_CHECKING:
    from trenova_codecs._ring_watch import KeySource


class KeyRing:
    """Keys in memory: one active, the others decrypt-only or revoked. A :class:`KeyProvider`.

    Build it with :meth:`from_keys`, or give it ready :class:`Key` objects. :meth:`replace` exchanges all of
    them at once, which is what sources that reload do.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        self._generation = 0
        self._lock = Lock()
        self._keys: Mapping[str, Key] = {}
        self._active: Key | None = None
        self.replace(keys)

    @classmethod
    def from_keys(cls, keys: Mapping[str, bytes], *, active: str, revoked: Sequence[str] = ()) -> Self:
        """Build a ring from secrets.

        Args:
            keys: Secrets of 32 bytes by key id.
            active: The id to encrypt with; all others only decrypt.
            revoked: Ids that are refused by name.

        Raises:
            ConfigurationError: A secret is not 32 random bytes, or ``active`` is not among them or revoked.
        """
        if active not in keys or active in revoked:
            held = ", ".join(sorted(set(keys) - set(revoked))) or "none"
            raise ConfigurationError(
                f"The active key {active!r} is not among the usable keys ({held}). Name one of them, or add it.",
                key_id=active,
            )
        ring = [
            Key(key_id, secret, state=KeyState.ACTIVE if key_id == active else KeyState.DECRYPT_ONLY)
            for key_id, secret in keys.items()
            if key_id not in revoked
        ]
        return cls([*ring, *(Key.revoked(key_id) for key_id in revoked)])

    @staticmethod
    def from_source(source: "KeySource") -> "KeyRing":
        """Build a ring that follows a source of your own.

        Raises:
            CodecError: The source cannot be read.
            ConfigurationError: What it holds are no keys.
        """
        from trenova_codecs._ring_watch import WatchedKeyRing

        return WatchedKeyRing(source)

    @staticmethod
    def from_file(path: "str | os.PathLike[str]") -> "KeyRing":
        """Build a ring that follows a file made by ``trenova-codecs keys init``; looked at once a second.

        Raises:
            KeyRingError: It is not there, others may read it, or it is no key ring.
            ConfigurationError: A key in it is none.
        """
        from trenova_codecs._ring_sources import RingFileSource

        return KeyRing.from_source(RingFileSource(Path(path)))

    @staticmethod
    def from_directory(path: "str | os.PathLike[str]") -> "KeyRing":
        """Build a ring that follows a folder with a file per key, as Kubernetes mounts a secret.

        A file's name is the key id, its content 32 bytes, raw or in base64. The file ``active`` names the key
        to encrypt with; the file ``revoked``, if there is one, ids to refuse.

        Raises:
            KeyRingError: It cannot be read, everybody may read it, or ``active`` names no key.
            ConfigurationError: A key in it is none.
        """
        from trenova_codecs._ring_sources import KeyFolderSource

        return KeyRing.from_source(KeyFolderSource(Path(path)))

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> "KeyRing":
        """Build a ring of ``TEMPORAL_ENCRYPTION_KEY_<id>``, each 32 bytes in base64.

        Args:
            environ: Usually ``os.environ``. ``TEMPORAL_ENCRYPTION_ACTIVE_KEY`` names the key to encrypt with,
                ``TEMPORAL_ENCRYPTION_REVOKED_KEYS`` ids to refuse, with commas between.

        Raises:
            ConfigurationError: There are no keys, one is none, or the active one is not named.
        """
        from trenova_codecs._ring_sources import keys_of_environ

        return KeyRing(keys_of_environ(environ))

    @staticmethod
    def from_aws_kms(
        path: "str | os.PathLike[str]",
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        refresh_seconds: float = 60.0,
        max_stale_seconds: float = 12 * 3600.0,
    ) -> "KeyRing":
        """Build a ring that follows a file whose keys AWS KMS has sealed (extra ``[aws]``).

        Args:
            path: Made by ``trenova-codecs keys init --aws-kms``.
            region: Of KMS, where the file does not say; None for boto3's default.
            endpoint_url: Another address of KMS, e.g. that of a VPC endpoint.
            refresh_seconds: Between questions to KMS; a revocation there is felt within it.
            max_stale_seconds: For how long opened keys are used while KMS cannot be asked.

        Raises:
            KeyRingError: As for :meth:`from_file`, or KMS cannot be asked.
        """
        from trenova_codecs._aws_kms import AwsKms
        from trenova_codecs._ring_aws import AwsKmsRingSource

        kms = AwsKms(region=region, endpoint_url=endpoint_url)
        source = AwsKmsRingSource(Path(path), kms, refresh_seconds=refresh_seconds, max_stale_seconds=max_stale_seconds)
        return KeyRing.from_source(source)

    def replace(self, keys: Sequence[Key]) -> None:
        """Exchange all keys at once and begin a new generation.

        Raises:
            ConfigurationError: Two keys have one id, or more than one is active. Nothing was exchanged.
        """
        by_id = {key.id: key for key in keys}
        active = [key for key in keys if key.state is KeyState.ACTIVE]
        if len(by_id) != len(keys):
            twice = sorted({key.id for key in keys if sum(other.id == key.id for other in keys) > 1})
            raise ConfigurationError(f"Key ids occur twice: {', '.join(twice)}. Give every key its own id.")
        if len(active) > 1:
            names = ", ".join(sorted(key.id for key in active))
            raise ConfigurationError(f"{names} are all active; exactly one may be. Make the others decrypt-only.")
        with self._lock:
            self._keys, self._active = by_id, active[0] if active else None
            self._generation += 1

    def revoke(self, key_id: str) -> None:
        """Refuse a key from now on; it beats every cache. An unknown id is remembered as revoked."""
        with self._lock:
            self._keys = {**self._keys, key_id: Key.revoked(key_id)}
            if self._active is not None and self._active.id == key_id:
                self._active = None
            self._generation += 1

    @property
    def generation(self) -> int:
        """See :class:`KeyProvider`."""
        return self._generation

    def active(self) -> Key:
        """See :class:`KeyProvider`."""
        if self._active is None:
            raise NoActiveKeyError(without_active(self.ids(), self._revoked()))
        return self._active

    def find(self, key_id: str) -> Key | None:
        """See :class:`KeyProvider`."""
        key = self._keys.get(key_id)
        return None if key is None or key.state is KeyState.RETIRED else key

    def ids(self) -> Sequence[str]:
        """See :class:`KeyProvider`."""
        usable = [key for key in self._keys.values() if key.state in (KeyState.ACTIVE, KeyState.DECRYPT_ONLY)]
        return [key.id for key in sorted(usable, key=lambda key: (key.state is not KeyState.ACTIVE, key.id))]

    def _revoked(self) -> Sequence[str]:
        return sorted(key.id for key in self._keys.values() if key.state is KeyState.REVOKED)

    async def refresh(self, key_id: str | None = None) -> bool:  # noqa: ARG002 - other sources need it
        """See :class:`KeyProvider`; there is no source to ask, so nothing ever changes."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(active={self._active.id if self._active else None!r}, ids={list(self.ids())!r})"


def without_active(held: Sequence[str], revoked: Sequence[str]) -> str:
    """Say that a ring has no key to encrypt with, which of its keys are revoked, and what to do."""
    refused = f"; {', '.join(repr(key_id) for key_id in revoked)} is revoked" if revoked else ""
    if held:
        return f"The key ring holds {', '.join(held)}, none of which is active{refused}. Promote one ('keys promote')."
    return f"The key ring holds no key to encrypt with{refused}. Add one ('keys add') and promote it ('keys promote')."
