"""Tell what a replay cannot read from what it would do otherwise."""

import dataclasses
from collections.abc import Sequence
from typing import Self, cast

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec, SerializationContext, WithSerializationContext
from temporalio.plugin import SimplePlugin


class Unread:
    """The first payload of a history that could not be decoded, in words; the histories of a replayer come in turn."""

    def __init__(self) -> None:
        self.reason = ""

    def note(self, error: BaseException) -> None:
        """Keep why, unless an earlier payload said so already."""
        said = getattr(error, "message", None) or (error.args[0] if error.args else type(error).__name__)
        self.reason = self.reason or str(said)


class NotingPlugin(SimplePlugin):
    """Give it to a replayer as the last plugin: it wraps the codec that those before it have set.

    The SDK reports a payload that it cannot decode as a failed task, or as non-determinism where the error is one that
    is not tried again; either looks as if the workflow had changed.
    """

    def __init__(self, unread: Unread) -> None:
        super().__init__("trenova.NotingPlugin", data_converter=lambda found: _noting(found, unread))


class _NotingCodec(PayloadCodec, WithSerializationContext):
    def __init__(self, inner: PayloadCodec, unread: Unread) -> None:
        self._inner, self._unread = inner, unread

    def with_context(self, context: SerializationContext) -> Self:
        """See base class."""
        inner: object = self._inner
        if not isinstance(inner, WithSerializationContext):
            return self
        return type(self)(cast("PayloadCodec", inner.with_context(context)), self._unread)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        return await self._inner.encode(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        try:
            return await self._inner.decode(payloads)
        except Exception as error:
            self._unread.note(error)
            raise


def _noting(found: DataConverter | None, unread: Unread) -> DataConverter:
    found = found or DataConverter.default
    if found.payload_codec is None:
        return found
    return dataclasses.replace(found, payload_codec=_NotingCodec(found.payload_codec, unread))
