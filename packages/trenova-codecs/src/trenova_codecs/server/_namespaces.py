"""The keys of one namespace: a ring seen through what is assigned to it.

A ciphertext names a key and no namespace. Whoever may read one namespace could otherwise hand in the
payloads of another; so only keys that are assigned to the namespace of the request are ever used for it.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

from trenova_codecs._errors import CodecError, NoActiveKeyError
from trenova_codecs._keys import EnvelopeKeyProvider, Key, KeyProvider, KeyState
from trenova_codecs._side import Side
from trenova_codecs.server._options import NamespaceOptions
from trenova_errors import ErrorKind

keys_used: Final[ContextVar[set[str] | None]] = ContextVar("keys_used", default=None)
"""Collects the ids that one request asked for, for its audit line."""


def note_use(key_id: str) -> None:
    """Put a key's id into the audit line of the request at hand, if there is one."""
    used = keys_used.get()
    if used is not None:
        used.add(key_id[:64])


class KeyNotAssignedError(CodecError):
    """A payload names a key that is not assigned to the namespace of the request.

    Facts: ``key_id``, ``namespace``.
    """

    code = "codec.key_not_assigned"
    permanent_kind = ErrorKind.PERMISSION_DENIED


class NamespaceKeys:
    """A :class:`KeyProvider` that holds what one namespace may use of another one."""

    def __init__(self, namespace: str, options: NamespaceOptions, ring: KeyProvider) -> None:
        self._namespace = namespace
        self._encode_with = options.encode_with
        self._assigned = options.assigned
        self._ring = ring

    @property
    def generation(self) -> int:
        """See :class:`KeyProvider`."""
        return self._ring.generation

    def active(self) -> Key:
        """Return the key to encode with: the one that the options name, otherwise the ring's active one.

        Raises:
            KeyNotAssignedError: The ring's active key is not assigned to this namespace.
            NoActiveKeyError: The key that the options name is not on the ring, or does not encrypt.
        """
        if self._encode_with is None:
            key = self._ring.active()
            self._require(key.id)
            return key
        self._require(self._encode_with)
        found = self._ring.find(self._encode_with)
        if found is None or found.legacy or found.state is KeyState.REVOKED:
            raise NoActiveKeyError(
                f"Namespace {self._namespace!r} encodes with key {self._encode_with!r}, which the ring does not hold "
                "for that. Add it, or name another as `encode_with`.",
                side=Side.CALLER,
                key_id=self._encode_with,
            )
        return found

    def find(self, key_id: str) -> Key | None:
        """See :class:`KeyProvider`.

        Raises:
            KeyNotAssignedError: The key is not assigned to this namespace, whether or not it exists.
        """
        self._require(key_id)
        return self._ring.find(key_id)

    def ids(self) -> Sequence[str]:
        """See :class:`KeyProvider`: those that are assigned."""
        return [key_id for key_id in self._ring.ids() if self._assigned(key_id)]

    async def refresh(self, key_id: str | None = None) -> bool:
        """See :class:`KeyProvider`."""
        if key_id is not None:
            self._require(key_id)
        return await self._ring.refresh(key_id)

    def used(self, key_id: str) -> None:
        """See :class:`AuditedKeyProvider`."""
        note_use(key_id)

    def _require(self, key_id: str) -> None:
        note_use(key_id)
        if not self._assigned(key_id):
            raise KeyNotAssignedError(
                f"Key {key_id[:80]!r} is not assigned to namespace {self._namespace!r}, so nothing is read or written "
                "with it there. The operator of this server assigns keys as `namespaces`.",
                side=Side.CALLER,
                key_id=key_id[:80],
                namespace=self._namespace,
            )


class NamespaceEnvelopeKeys(NamespaceKeys):
    """The same over a provider whose data keys travel sealed."""

    _ring: EnvelopeKeyProvider

    def find_wrapped(self, key_id: str, wrapped: bytes) -> Key | None:
        """See :class:`EnvelopeKeyProvider`."""
        self._require(key_id)
        return self._ring.find_wrapped(key_id, wrapped)

    async def unwrap(self, key_id: str, wrapped: bytes) -> bool:
        """See :class:`EnvelopeKeyProvider`."""
        self._require(key_id)
        return await self._ring.unwrap(key_id, wrapped)


def keys_of(namespace: str, options: NamespaceOptions, ring: KeyProvider) -> NamespaceKeys:
    """Return the ring as this namespace may use it."""
    kind = NamespaceEnvelopeKeys if isinstance(ring, EnvelopeKeyProvider) else NamespaceKeys
    return kind(namespace, options, ring)
