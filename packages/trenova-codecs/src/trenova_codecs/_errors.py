"""What can be wrong with a payload that has to be encoded or decoded, and with the keys for it.

One class per thing to do about it. Its kind depends on the side on which it is met (:class:`Side`): on a
worker always ``unavailable``, on a caller's side ``permanent_kind``. No message, fact or representation ever
holds a key or a payload.
"""

from datetime import timedelta
from typing import Any, ClassVar, Self

from trenova_codecs._side import Side
from trenova_errors import ApplicationError, ErrorKind, Fact


class CodecError(ApplicationError):
    """The root of this package's errors.

    Args:
        message: What was wrong, what was there, what to do.
        side: Where it was met. ``Side.WORKER`` makes it ``unavailable`` and retryable, ``Side.CALLER``
            makes it ``permanent_kind``.
        retry_after: As for every error of ``trenova_errors``.
        facts: Names and small values for programs.
    """

    kind = ErrorKind.UNAVAILABLE
    code = "codec"
    permanent_kind: ClassVar[ErrorKind] = ErrorKind.DATA_INTEGRITY
    """What it is where nobody waits."""

    def __init__(
        self, message: str, /, *, side: Side = Side.WORKER, retry_after: timedelta | None = None, **facts: Fact
    ) -> None:
        if side is Side.CALLER:
            # An attribute of the instance goes before that of the class, and survives pickling.
            self.__dict__["kind"] = self.permanent_kind
        super().__init__(message, retry_after=retry_after, **facts)

    def met_on(self, side: Side) -> Self:
        """Return this error as it is on a side, whichever side it was made for."""
        if self.kind is (self.permanent_kind if side is Side.CALLER else type(self).kind):
            return self
        facts: dict[str, Any] = dict(self.facts)
        error = type(self)(self.message, side=side, **facts)
        return error.with_traceback(self.__traceback__)


class UnknownKeyError(CodecError):
    """A payload names a key that this process does not hold; distributing the key lets it through.

    Facts: ``key_id``.
    """

    code = "codec.unknown_key"
    permanent_kind = ErrorKind.CONFIGURATION


class RevokedKeyError(CodecError):
    """A payload names a key that was revoked: it is known, and refused.

    Facts: ``key_id``.
    """

    code = "codec.revoked_key"
    permanent_kind = ErrorKind.CONFIGURATION


class NoActiveKeyError(CodecError):
    """The ring holds no key to encrypt with."""

    code = "codec.no_active_key"
    permanent_kind = ErrorKind.CONFIGURATION


class KeyRingError(CodecError):
    """A key ring's source cannot be read or written, or what it holds is no key ring.

    Facts: whatever the source knows, e.g. ``path``; never a key.
    """

    code = "codec.key_ring"
    permanent_kind = ErrorKind.CONFIGURATION


class CorruptPayloadError(CodecError):
    """A payload's bytes are not what its metadata says: damaged, cut, tampered with, or of another key.

    Facts: ``size`` (bytes of the data), and ``key_id`` where it is encrypted.
    """

    code = "codec.corrupt_payload"


class ForeignEncryptionError(CodecError):
    """A payload was encrypted by something else that uses the same encoding name.

    Facts: ``looks_like``.
    """

    code = "codec.foreign_encryption"


class PlaintextRejectedError(CodecError):
    """A payload is not encrypted, and this process accepts none that is not.

    Facts: ``encoding``.
    """

    code = "codec.plaintext_rejected"
    permanent_kind = ErrorKind.PERMISSION_DENIED


class DecompressionLimitError(CodecError):
    """A payload would become larger than this process accepts; raising the limit lets it through.

    Facts: ``limit`` (bytes that are accepted), ``size`` (bytes that the stream declares; None if it does not).
    """

    code = "codec.decompression_limit"
    permanent_kind = ErrorKind.PAYLOAD_TOO_LARGE


class MissingLibraryError(CodecError):
    """A payload is in a format whose library is not installed here.

    Facts: ``extra`` (of this package).
    """

    code = "codec.missing_library"
    permanent_kind = ErrorKind.CONFIGURATION
