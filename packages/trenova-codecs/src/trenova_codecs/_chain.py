"""Several codecs as one, named by the order in which they act on what goes out."""

from collections.abc import Sequence
from copy import copy
from typing import Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from trenova_codecs._compression import DEFAULT_LIMIT, CompressionCodec
from trenova_codecs._encryption import EncryptionCodec
from trenova_codecs._pipeline import Pipeline
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError, PayloadTooLargeError

MAX_PAYLOADS_BYTES = 2 * 1024 * 1024
"""What a Temporal server takes in one field by default (dynamic configuration ``limit.blobSize.error``)."""


class CodecChain(PayloadCodec, WithSerializationContext):
    """Codecs that act one after the other on the way out, and the other way round on the way in.

    Build it with :meth:`outbound`.
    """

    def __init__(
        self,
        before: Sequence[PayloadCodec],
        compression: CompressionCodec | None,
        encryption: EncryptionCodec | None,
        after: Sequence[PayloadCodec],
        *,
        max_encoded: int | None,
    ) -> None:
        self._before, self._after = tuple(before), tuple(after)
        self.compression, self.encryption = compression, encryption
        self.max_encoded = max_encoded
        self._own = _pipeline(compression, encryption)

    @classmethod
    def outbound(cls, *codecs: PayloadCodec, max_encoded: int | None = None) -> Self:
        """Build a chain from codecs in the order in which they act on what is sent: compress, then encrypt.

        Args:
            codecs: At most one :class:`CompressionCodec` directly before at most one
                :class:`EncryptionCodec`; codecs of others before or after these.
            max_encoded: Most bytes that the payloads of one call may have together once encoded; None for no
                limit, which external storage needs.

        Raises:
            ConfigurationError: There is none, or their order makes no sense.
        """
        if not codecs:
            raise ConfigurationError("CodecChain.outbound() was given no codec. Give it those that should act.")
        own = [at for at, codec in enumerate(codecs) if isinstance(codec, CompressionCodec | EncryptionCodec)]
        compression, encryption = _own(codecs, own)
        first, last = (own[0], own[-1]) if own else (len(codecs), len(codecs) - 1)
        return cls(codecs[:first], compression, encryption, codecs[last + 1 :], max_encoded=max_encoded)

    def following(self, before: Sequence[PayloadCodec], *, max_encoded: int | None) -> Self:
        """Return the same chain behind other codecs and with another limit."""
        chain = type(self)(
            (*before, *self._before), self.compression, self.encryption, self._after, max_encoded=max_encoded
        )
        chain.side = self.side
        return chain

    @property
    def side(self) -> Side:
        """Where errors are met; see :class:`Side`."""
        return self._own.side

    @side.setter
    def side(self, side: Side) -> None:
        self._own.side = side

    def with_context(self, context: SerializationContext) -> Self:
        """Hand a context on to the codecs of others; ours take none, so that everything can be read anywhere."""
        before, after = (_in_context(codecs, context) for codecs in (self._before, self._after))
        if before == self._before and after == self._after:
            return self
        chain = copy(self)
        chain._before, chain._after = before, after  # noqa: SLF001 - a copy of this very class
        return chain

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Apply every codec in order; one output per input.

        Raises:
            PayloadTooLargeError: Together they are larger than ``max_encoded``.
            NoActiveKeyError: The ring has no active key.
        """
        if not self._before and not self._after:
            most = self.max_encoded
            at_once = self._own.encode_at_once(payloads, float("inf") if most is None else most)
            if at_once is not None:
                return at_once
        given = payloads
        for codec in self._before:
            payloads = await codec.encode(payloads)
        encoded = await self._own.encode(payloads)
        for codec in self._after:
            encoded = await codec.encode(encoded)
        if self.max_encoded is not None:
            _require_at_most(self.max_encoded, given, encoded)
        return encoded

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Undo every codec in the opposite order; see :meth:`EncryptionCodec.decode` for what raises."""
        for codec in reversed(self._after):
            payloads = await codec.decode(payloads)
        decoded = self._own.decode_at_once(payloads)
        if not isinstance(decoded, list):
            decoded = await decoded
        for codec in reversed(self._before):
            decoded = await codec.decode(decoded)
        return decoded


def _in_context(codecs: tuple[PayloadCodec, ...], context: SerializationContext) -> tuple[PayloadCodec, ...]:
    return tuple(
        codec.with_context(context) if isinstance(codec, WithSerializationContext) else codec for codec in codecs
    )


def _own(codecs: Sequence[PayloadCodec], own: Sequence[int]) -> tuple[CompressionCodec | None, EncryptionCodec | None]:
    """Return our codecs among the given ones.

    Raises:
        ConfigurationError: They are not in an order that makes sense.
    """
    members = [codecs[at] for at in own]
    compressions = [codec for codec in members if isinstance(codec, CompressionCodec)]
    encryptions = [codec for codec in members if isinstance(codec, EncryptionCodec)]
    order = ", ".join(type(codec).__name__ for codec in codecs)
    if len(encryptions) > 1:
        raise _senseless(order, "encrypts twice, which protects no better. Give one ring that holds all keys")
    if len(compressions) > 1:
        raise _senseless(order, "compresses twice, which saves nothing. Keep one; every compression is read anyway")
    if any(isinstance(codec, CodecChain) for codec in codecs):
        raise _senseless(order, "holds another chain. Give its codecs one by one")
    if compressions and encryptions and isinstance(members[0], EncryptionCodec):
        raise _senseless(order, "compresses what is encrypted, which never gets smaller. Put the compression first")
    if own and own[-1] - own[0] >= len(own):
        raise _senseless(
            order, "has a codec of another kind between compression and encryption. Put it before or after"
        )
    return next(iter(compressions), None), next(iter(encryptions), None)


def _senseless(order: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"The outbound order ({order}) {why}.", option="codecs")


def _pipeline(compression: CompressionCodec | None, encryption: EncryptionCodec | None) -> Pipeline:
    compressor = None if compression is None else compression.compressor
    if compression is not None:
        limit = compression.options.max_decompressed
    else:
        limit = DEFAULT_LIMIT if encryption is None else encryption.max_decompressed
    if encryption is None:
        return Pipeline(compressor=compressor, limit=limit)
    return Pipeline(
        ring=encryption.ring,
        compressor=compressor,
        format=encryption.format,
        plaintext=encryption.plaintext,
        limit=limit,
        side=encryption.side,
    )


def _require_at_most(most: int, given: Sequence[Payload], encoded: Sequence[Payload]) -> None:
    size = sum(payload.ByteSize() for payload in encoded)
    if size > most:
        before = sum(payload.ByteSize() for payload in given)
        raise PayloadTooLargeError(
            f"{len(encoded)} payloads have {size} bytes once encoded ({before} before); Temporal takes {most} in one "
            "field. Send a reference to the data, send less, or set up external storage.",
            size=size,
            limit=most,
        )
