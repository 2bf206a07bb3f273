"""Keys, their states, and what every source of keys offers to the codecs."""

import hmac
import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, Self, runtime_checkable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trenova_codecs._errors import NoActiveKeyError, RevokedKeyError
from trenova_errors import ConfigurationError

if TYPE_CHECKING:
    from trenova_codecs._ring_watch import KeySource

KEY_BYTES: Final = 32
"""AES-256."""
KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A key id is plaintext in every payload: it names a key and says nothing about it."""

_SAMPLE_KEY: Final = b"test-key-test-key-test-key-test!"
"""The key of Temporal's public samples, which everybody holds."""
_REPEATED_MOST: Final = 4
"""32 random bytes hold fewer than five different ones with probability 2**-190."""


class KeyState(StrEnum):
    """What may be done with a key."""

    ACTIVE = "active"
    """Encrypts and decrypts; exactly one key of a ring."""
    DECRYPT_ONLY = "decrypt_only"
    """Decrypts what was written with it."""
    RETIRED = "retired"
    """Remembered by id, no longer distributed: to a codec the key is unknown."""
    REVOKED = "revoked"
    """Known and refused, whatever any cache holds."""


class Key:
    """One AES-256 key; immutable, and never shown.

    Args:
        key_id: 1 to 64 of ``A-Za-z0-9_-``. It is stored in clear in every payload.
        secret: 32 random bytes.
        state: See :class:`KeyState`.
        wrapped: The data key as a key management service sealed it; it travels in the metadata of every
            payload that is encrypted with this key, for :meth:`EnvelopeKeyProvider.find_wrapped`.

        legacy: Whether it is a weak key of the replaced system; :meth:`from_legacy_text` makes those.

    Raises:
        ConfigurationError: The id or the secret is not one, or a legacy key is to be active.
    """

    __slots__ = ("_aead", "_secret", "id", "id_bytes", "legacy", "state", "wrapped")

    def __init__(
        self,
        key_id: str,
        secret: bytes,
        *,
        state: KeyState = KeyState.ACTIVE,
        wrapped: bytes = b"",
        legacy: bool = False,
    ) -> None:
        if legacy and state is KeyState.ACTIVE:
            raise ConfigurationError(
                f"Key {key_id!r} is a legacy key, which only decrypts. Add a new key and promote that.", key_id=key_id
            )
        if not legacy and (secret or state is not KeyState.REVOKED):
            _require_id(key_id)
            _require_strong(key_id, secret)
        self.id, self.id_bytes, self.state, self.legacy, self.wrapped = key_id, key_id.encode(), state, legacy, wrapped
        self._secret = bytes(secret)
        self._aead = AESGCM(self._secret) if self._secret else None

    @classmethod
    def from_legacy_text(cls, key_id: str, text: str) -> Self:
        """Make a decrypt-only key of a text as the replaced system did: UTF-8, zero-padded or cut to 32 bytes.

        Such keys are as weak as the text, so that they only ever read what was written with them. The id may
        be any text, because old ids followed no rule.
        """
        if not key_id or not text:
            raise ConfigurationError(f"The legacy key {key_id!r} has an empty id or text. Give both.", key_id=key_id)
        secret = text.encode()[:KEY_BYTES].ljust(KEY_BYTES, b"\0")
        return cls(key_id, secret, state=KeyState.DECRYPT_ONLY, legacy=True)

    @classmethod
    def revoked(cls, key_id: str) -> Self:
        """Remember that an id is refused; the secret is not needed for that."""
        return cls(key_id, b"", state=KeyState.REVOKED)

    @property
    def aead(self) -> AESGCM:
        """The cipher under the key itself; made once.

        Raises:
            RevokedKeyError: The key has no secret any more.
        """
        if self._aead is None:
            raise RevokedKeyError(f"Key {self.id!r} is revoked and holds no secret.", key_id=self.id)
        return self._aead

    def derive(self, salt: bytes, info: bytes) -> AESGCM:
        """Return the cipher under HKDF-SHA256(secret, salt, info). Takes about 10 microseconds; not remembered.

        Raises:
            RevokedKeyError: The key has no secret any more.
        """
        if not self._secret:
            return self.aead
        return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(self._secret))

    def with_state(self, state: KeyState) -> "Key":
        """Return the same key in another state.

        Raises:
            ConfigurationError: A legacy key was to become active.
        """
        return Key(self.id, self._secret, state=state, wrapped=self.wrapped, legacy=self.legacy)

    def reveal(self) -> bytes:
        """Return the secret, for a store of keys and for nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return f"Key(id={self.id!r}, state={self.state.value!r}{', legacy' if self.legacy else ''})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        same = (self.id, self.state, self.legacy, self.wrapped) == (other.id, other.state, other.legacy, other.wrapped)
        return same and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash((self.id, self.state))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} is not pickled: keys do not leave the process. Pass the ring's source instead.")


@runtime_checkable
class KeyProvider(Protocol):
    """A source of keys. Everything but :meth:`refresh` is called for every payload: no I/O, no locks held long.

    Implementations are safe to call from several threads.
    """

    @property
    def generation(self) -> int:
        """Grows with every reload, promotion or revocation; whoever caches a key forgets it then."""
        ...

    def active(self) -> Key:
        """Return the key to encrypt with.

        Raises:
            NoActiveKeyError: There is none.
        """
        ...

    def find(self, key_id: str) -> Key | None:
        """Return the key of exactly this id, whatever its state; None for one that is unknown or retired."""
        ...

    def ids(self) -> Sequence[str]:
        """Return the ids that can be decrypted, the active one first; they are named in errors."""
        ...

    async def refresh(self, key_id: str | None = None) -> bool:
        """Ask the source again, no oftener than its rate allows.

        Args:
            key_id: What was asked for and not found; None to ask for whatever is there.

        Returns:
            Whether something changed, so that it is worth looking again.

        Raises:
            CodecError: The source cannot be reached or read. What is held stays in use.
        """
        ...


@runtime_checkable
class EnvelopeKeyProvider(KeyProvider, Protocol):
    """A provider whose data keys travel sealed beside what they encrypt, under the id of the key that seals."""

    def find_wrapped(self, key_id: str, wrapped: bytes) -> Key | None:
        """Return the data key if it has been unwrapped already."""
        ...

    async def unwrap(self, key_id: str, wrapped: bytes) -> bool:
        """Ask the key management service to unwrap a data key, so that :meth:`find_wrapped` finds it.

        Returns:
            False if the service knows no such key.

        Raises:
            CodecError: The service cannot be reached, or refuses.
        """
        ...


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
            held = ", ".join(self.ids()) or "no key"
            raise NoActiveKeyError(f"The key ring holds {held}, none of which is active. Promote one.")
        return self._active

    def find(self, key_id: str) -> Key | None:
        """See :class:`KeyProvider`."""
        key = self._keys.get(key_id)
        return None if key is None or key.state is KeyState.RETIRED else key

    def ids(self) -> Sequence[str]:
        """See :class:`KeyProvider`."""
        usable = [key for key in self._keys.values() if key.state in (KeyState.ACTIVE, KeyState.DECRYPT_ONLY)]
        return [key.id for key in sorted(usable, key=lambda key: (key.state is not KeyState.ACTIVE, key.id))]

    async def refresh(self, key_id: str | None = None) -> bool:  # noqa: ARG002 - other sources need it
        """See :class:`KeyProvider`; there is no source to ask, so nothing ever changes."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(active={self._active.id if self._active else None!r}, ids={list(self.ids())!r})"


def _require_id(key_id: str) -> None:
    if not KEY_ID.fullmatch(key_id):
        raise ConfigurationError(
            f"A key id is 1 to 64 of A-Z, a-z, 0-9, '_' and '-'; got {key_id[:80]!r}. Choose another id.",
            key_id=key_id,
        )


def _require_strong(key_id: str, secret: Any) -> None:
    if not isinstance(secret, bytes) or len(secret) != KEY_BYTES:
        size = f"{len(secret)} bytes" if isinstance(secret, bytes) else f"a {type(secret).__name__}"
        raise ConfigurationError(
            f"Key {key_id!r} must be {KEY_BYTES} random bytes; got {size}. Make one with os.urandom({KEY_BYTES}), "
            "never from a password, and never by padding. To read what a padded key wrote, use Key.from_legacy_text.",
            key_id=key_id,
        )
    if secret == _SAMPLE_KEY or len(set(secret)) <= _REPEATED_MOST or secret.endswith(b"\0" * 8):
        raise ConfigurationError(
            f"Key {key_id!r} is a published sample, a pattern or a padded text; everybody can guess it. Make one "
            f"with os.urandom({KEY_BYTES}). To read what such a key wrote, use Key.from_legacy_text.",
            key_id=key_id,
        )


def exemption_of(ring: KeyProvider) -> date | None:
    """Return the last day on which a ring's source lets plain payloads pass; None where it says nothing.

    It is no part of :class:`KeyProvider`, so that providers need not have one.
    """
    until = getattr(ring, "plaintext_until", None)
    return until if isinstance(until, date) else None
