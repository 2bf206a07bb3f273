"""Decoding and encoding for one request, within what one request may become."""

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from trenova_access import NotPermittedError
from trenova_codecs._formats import ENCODING, ENCRYPTED, KEY_ID
from trenova_codecs._keys import KeyProvider
from trenova_codecs._options import CodecOptions
from trenova_codecs.server._namespaces import keys_of, note_use
from trenova_codecs.server._options import BatchOptions, CodecServerOptions
from trenova_errors import PayloadTooLargeError

Operation = Literal["decode", "encode"]

_YIELD_EVERY: Final = 256 * 1024
"""Bytes after which other requests get their turn; encryption takes about 0.1 ms for as many."""


class Codecs:
    """One codec for each namespace, which holds only the keys that are assigned to it.

    Reading never depends on what is written, so that what an earlier configuration wrote stays readable;
    what is not encrypted passes, as the Temporal UI sends whatever a history holds.
    """

    def __init__(self, options: CodecServerOptions, ring: KeyProvider) -> None:
        self._codecs = {
            name: _codec(options.codec, keys_of(name, namespace, ring))
            for name, namespace in options.namespaces.items()
        }

    def of(self, namespace: str) -> PayloadCodec:
        """Return the codec of a namespace.

        Raises:
            NotPermittedError: It is not served here.
        """
        found = self._codecs.get(namespace)
        if found is None:
            raise NotPermittedError(
                f"Namespace {namespace[:100]!r} is not served here. The operator of this server lists those that are "
                "as `namespaces`, each with its keys.",
                reason="namespace_not_served",
            )
        return found


def _codec(options: CodecOptions, keys: KeyProvider) -> PayloadCodec:
    if options.encryption is None:
        return options.chain(None)
    encryption = options.encryption.model_copy(update={"on_plaintext": "allow"})
    return options.model_copy(update={"encryption": encryption}).chain(keys)


async def work_off(
    codec: PayloadCodec, operation: Operation, payloads: Sequence[Payload], batch: BatchOptions
) -> list[Payload]:
    """Decode or encode payloads one after the other; one output per input, in order.

    Raises:
        PayloadTooLargeError: There are too many, or they become too large together. What came before is dropped.
        CodecError: One cannot be decoded or encoded.
    """
    if len(payloads) > batch.max_payloads:
        raise PayloadTooLargeError(
            f"The request holds {len(payloads)} payloads; this server takes {batch.max_payloads}. Send fewer at once.",
            count=len(payloads),
            limit=batch.max_payloads,
            reason="too_many_payloads",
        )
    done: list[Payload] = []
    size = turn = 0
    act = codec.decode if operation == "decode" else codec.encode
    for payload in payloads:
        (one,) = await act([payload])
        done.append(one)
        if operation == "encode" and one.metadata.get(ENCODING) in ENCRYPTED:
            note_use(one.metadata.get(KEY_ID, b"").decode(errors="replace"))  # it is looked up once only
        size, turn = size + one.ByteSize(), turn + payload.ByteSize() + one.ByteSize()
        if size > batch.max_output:
            raise PayloadTooLargeError(
                f"The payloads of the request become more than {batch.max_output} bytes. Send fewer at once.",
                limit=batch.max_output,
                reason="output_too_large",
            )
        if turn > _YIELD_EVERY:
            turn = 0
            await asyncio.sleep(0)
    return done
