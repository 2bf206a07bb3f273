"""Keys, their states, and what every source of keys offers to the codecs."""

import hmac
import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final, NoReturn, Protocol, Self, runtime_checkable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trenova_codecs._errors import RevokedKeyError
from trenova_errors import ConfigurationError

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


@runtime_checkable
class AuditedKeyProvider(KeyProvider, Protocol):
    """A provider that wants to know of every use, also of those for which nothing is looked up."""

    def used(self, key_id: str) -> None:
        """Be told that a message names this key, whose cipher is remembered. Called for every payload."""
        ...
