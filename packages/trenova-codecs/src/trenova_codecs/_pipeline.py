"""The way of a payload out and back: compress, encrypt, and everything that may ever have been done to it."""

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from trenova_codecs._compression import DEFAULT_LIMIT, Compressor, decompressed
from trenova_codecs._errors import CodecError, CorruptPayloadError, NoActiveKeyError
from trenova_codecs._formats import ENCODING, ENCRYPTED, MARK_LITERAL, OURS, Layout, identify, refuse_foreign
from trenova_codecs._keys import KeyProvider
from trenova_codecs._notices import noticed
from trenova_codecs._opening import Opener, refreshed
from trenova_codecs._plaintext import PlaintextPolicy
from trenova_codecs._sdk_log import speaks_for_workers
from trenova_codecs._sealing import LARGE, Epoch, Format, Sealer
from trenova_codecs._side import Side
from trenova_codecs._usage import meter
from trenova_codecs._wire import CONTENT_HEADS, header, varint

_DEEPEST: Final = 8
"""Layers of one payload; what was ever written has at most four."""
_LITERAL: Final = header({ENCODING: MARK_LITERAL})

_errors = meter.create_counter(
    "trenova_codecs_errors", unit="{payload}", description="Payloads that could not be encoded or decoded, by code"
)


class Pipeline(PayloadCodec):
    """Compression and encryption, either of which may be missing, and reading of every layout.

    Args:
        ring: None not to encrypt.
        compressor: None not to compress.
        format: What to encrypt in.
        plaintext: What to do with payloads in which no layer was encrypted.
        limit: Bytes that one payload may have once decompressed.
        side: On which errors are met; may be set later.
    """

    def __init__(
        self,
        *,
        ring: KeyProvider | None = None,
        compressor: Compressor | None = None,
        format: Format = "compat",  # noqa: A002 - the public name
        plaintext: PlaintextPolicy | None = None,
        limit: int = DEFAULT_LIMIT,
        side: Side = Side.WORKER,
    ) -> None:
        self._ring = ring
        self._compressor = compressor
        self._sealer = Sealer(ring, format) if ring is not None else None
        self._opener = Opener(ring)
        self._plaintext = plaintext or PlaintextPolicy(mode="allow")
        self._limit = limit
        self._threshold = compressor.options.threshold if compressor is not None else float("inf")
        self._at_once = min(self._threshold, LARGE)
        self.side = side

    def encode_at_once(self, payloads: Sequence[Payload], most: float = float("inf")) -> list[Payload] | None:
        """Encrypt a single small payload in one go, which is what most calls are about.

        Args:
            payloads: As for :meth:`encode`.
            most: Bytes that it may have once encoded.

        Returns:
            None, with nothing done, where it takes more: several payloads, a size from which on it might be
            compressed or is too large, something encoded already, a ring without an active key.
        """
        if self._sealer is None or len(payloads) != 1:
            return None
        payload = payloads[0]
        plain = payload.SerializeToString()
        size = len(plain)
        if size >= self._at_once:
            return None
        if not plain.startswith(CONTENT_HEADS) and payload.metadata.get(ENCODING) in OURS:
            return None
        try:
            epoch = self._sealer.epoch()
        except NoActiveKeyError:
            return None
        return None if size + epoch.overhead > most else [epoch.seal(plain)]

    def decode_at_once(self, payloads: Sequence[Payload]) -> list[Payload] | Coroutine[Any, Any, list[Payload]]:
        """Decode a single payload with content in it, by a cipher that is remembered; begin anything else.

        Returns:
            What :meth:`decode` returns, or what has to be awaited for it.

        Raises:
            CorruptPayloadError: As for :meth:`decode`.
        """
        if len(payloads) != 1:
            return self._decode_each(payloads)
        try:
            found = self._opener.open_known(payloads[0])
        except CodecError as error:
            raise self._reported(error) from error.__cause__
        if found is None:
            return self._peel_alone(payloads[0], encrypted=False)
        opened, content = found
        if content or opened.metadata.get(ENCODING) not in OURS:
            return [opened]
        return self._peel_alone(opened, encrypted=True)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode each payload whole; one output per input, in order.

        Args:
            payloads: Not mutated. What a key of the ring has encrypted already is returned as it is.

        Raises:
            NoActiveKeyError: The ring has no active key.
        """
        at_once = self.encode_at_once(payloads)
        if at_once is not None:
            return at_once
        encoded = []
        try:
            epoch = await self._first_epoch() if self._sealer is None else self._sealer.epoch()
        except NoActiveKeyError:
            epoch = await self._first_epoch()
        for payload in payloads:
            plain = payload.SerializeToString()
            if payload.metadata.get(ENCODING) in OURS:
                encoded.append(await self._encode_marked(payload, plain, epoch))
                continue
            if len(plain) >= self._threshold:
                plain = await self._smaller(plain)
            encoded.append(Payload.FromString(plain) if epoch is None else epoch.seal(plain))
        return encoded

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Undo every layer of each payload; one output per input, in order.

        Args:
            payloads: Not mutated.

        Raises:
            UnknownKeyError: A key is neither held nor known to the ring's source.
            RevokedKeyError: A key is revoked.
            CorruptPayloadError: The bytes are damaged, or were not encrypted with the key of that id.
            ForeignEncryptionError: Another program encrypted it.
            PlaintextRejectedError: It is not encrypted.
            DecompressionLimitError: It is larger than what is accepted.
            CodecError: The ring's source cannot be reached.
        """
        decoded = self.decode_at_once(payloads)
        return decoded if isinstance(decoded, list) else await decoded

    async def _decode_each(self, payloads: Sequence[Payload]) -> list[Payload]:
        decoded = []
        try:
            for payload in payloads:
                found = self._opener.open_known(payload)
                if found is None:
                    decoded.append(await self._peel(payload, encrypted=False))
                    continue
                opened, content = found
                if not content and opened.metadata.get(ENCODING) in OURS:
                    opened = await self._peel(opened, encrypted=True)
                decoded.append(opened)
        except CodecError as error:
            raise self._reported(error) from error.__cause__
        return decoded

    async def _peel_alone(self, payload: Payload, *, encrypted: bool) -> list[Payload]:
        try:
            return [await self._peel(payload, encrypted=encrypted)]
        except CodecError as error:
            raise self._reported(error) from error.__cause__

    async def _first_epoch(self) -> Epoch | None:
        """Begin to encrypt with a key that the ring's source may have only now."""
        if self._sealer is None or self._ring is None:
            return None
        try:
            await refreshed(self._ring)
            return self._sealer.epoch()
        except CodecError as error:
            raise self._reported(error) from error.__cause__

    async def _smaller(self, plain: bytes) -> bytes:
        packed = None if self._compressor is None else await self._compressor.smaller(plain)
        return plain if packed is None else packed

    async def _encode_marked(self, payload: Payload, plain: bytes, epoch: Epoch | None) -> Payload:
        """Leave what we encrypted as it is; wrap anything else that looks encoded, so that it comes back so."""
        if await self._is_encrypted(payload):
            return payload
        plain = await self._smaller(b"".join((_LITERAL, varint(len(plain)), plain)))
        if epoch is None:
            return Payload.FromString(plain)
        return epoch.seal(plain)

    async def _is_encrypted(self, payload: Payload) -> bool:
        """Whether it is encrypted by us, which only decrypting shows: its metadata anybody can write."""
        if self._ring is None or payload.metadata.get(ENCODING) not in ENCRYPTED:
            return False
        try:
            return self._opener.open(payload) is not None
        except CodecError:
            return False

    async def _peel(self, payload: Payload, *, encrypted: bool) -> Payload:
        """Undo layers until content is reached, and look at what it came in."""
        inside: Layout | None = None
        for _ in range(_DEEPEST):
            layout = identify(payload.metadata)
            if layout is Layout.LITERAL:
                payload = _content(payload)
                break
            # Version 0.1.0 wrapped what was marked as gzip before it in gzip again, to give it back as it was.
            if layout is Layout.CONTENT or (layout is inside is Layout.GZIP):
                break
            if layout in (Layout.COMPAT, Layout.V2):
                payload = self._opener.open(payload) or await self._opener.fetch(payload)
                encrypted = True
            else:
                payload = await decompressed(layout, payload, self._limit)
            inside = layout
        else:
            raise CorruptPayloadError(
                f"A payload is encoded more than {_DEEPEST} times. Find out what wrote it.", size=len(payload.data)
            )
        if not encrypted:
            refuse_foreign(payload.metadata)
            self._plaintext.check(payload)
        return payload

    def _reported(self, error: CodecError) -> CodecError:
        """Count an error, say it once a minute unless its task has its line, and give it the kind of this side."""
        _errors.add(1, {"code": error.code, "side": self.side.value})
        if self.side is Side.CALLER or not speaks_for_workers():
            noticed((error.code, error.facts.get("key_id")), "%s: %s", error.code, error.message)
        return error.met_on(self.side)


def _content(payload: Payload) -> Payload:
    try:
        return Payload.FromString(payload.data)
    except DecodeError:
        raise CorruptPayloadError(
            f"A payload of {len(payload.data)} bytes is marked {MARK_LITERAL.decode()!r}, but holds no Payload.",
            size=len(payload.data),
        ) from None
