"""A codec with one key, found as installed codecs are; ``REPLAY_TEST_KEY`` is the key, and none means no codec."""

import dataclasses
from collections.abc import Mapping, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.client import Plugin
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.plugin import SimplePlugin

from trenova_errors import InvalidInputError

ENCODING = b"binary/replay-test"


class KeyedCodec(PayloadCodec):
    """Writes the key before the data, and reads only what has it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": ENCODING}, data=self._key + one.SerializeToString()) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for one in payloads:
            if not one.data.startswith(self._key):  # permanent, so the SDK ends the run instead of its task
                raise InvalidInputError("This payload needs another key.")
        return [Payload.FromString(one.data.removeprefix(self._key)) for one in payloads]


def with_key(key: bytes) -> DataConverter:
    return DataConverter(payload_codec=KeyedCodec(key))


def plugin(environ: Mapping[str, str]) -> Plugin | None:
    key = environ.get("REPLAY_TEST_KEY", "").encode()
    if not key:
        return None

    def converter(found: DataConverter | None) -> DataConverter:
        return dataclasses.replace(found or DataConverter.default, payload_codec=KeyedCodec(key))

    return SimplePlugin("replay-test", data_converter=converter)
