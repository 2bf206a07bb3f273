"""What one payload is wrapped in, looked at from outside to inside, as far as the keys at hand go."""

from dataclasses import dataclass, field
from typing import Final

from temporalio.api.common.v1 import Payload

from trenova_codecs._compression import DEFAULT_LIMIT, decompressed
from trenova_codecs._errors import CodecError
from trenova_codecs._formats import ENCODING, KEY_ID, Layout, identify
from trenova_codecs._keys import KeyProvider
from trenova_codecs._opening import Opener

_DEEPEST: Final = 8
_ENCRYPTED: Final = (Layout.COMPAT, Layout.V2)


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        encoding: Its ``encoding``, as it stands in the metadata.
        size: Bytes of its data.
        key_id: The key that it names, where it is encrypted.
    """

    encoding: str
    size: int
    key_id: str | None = None

    def __str__(self) -> str:
        named = f" under {self.key_id!r}" if self.key_id is not None else ""
        return f"{self.encoding or 'no encoding'}{named}, {self.size} bytes"


@dataclass
class Layers:
    """The layers of a payload, outermost first.

    Attributes:
        seen: Those that could be looked at.
        problem: Why the next one could not be, in one sentence; None where content was reached, or only a
            key is missing that was not asked for.
    """

    seen: list[Layer] = field(default_factory=list)
    problem: str | None = None


async def layers_of(payload: Payload, ring: KeyProvider | None) -> Layers:
    """Look at a payload's layers.

    Args:
        payload: Not changed.
        ring: The keys at hand. Without any, an encrypted layer is the last that is looked at, which is no problem.
    """
    found = Layers()
    try:
        for _ in range(_DEEPEST):
            found.seen.append(_layer(payload))
            inner = await _inside(payload, ring)
            if inner is None:
                return found
            payload = inner
    except CodecError as error:
        found.problem = f"{error.code}: {error.message}"
        return found
    found.problem = f"codec.corrupt_payload: It has more than {_DEEPEST} layers."
    return found


def _layer(payload: Payload) -> Layer:
    named = payload.metadata.get(KEY_ID)
    return Layer(
        encoding=payload.metadata.get(ENCODING, b"").decode(errors="replace"),
        size=len(payload.data),
        key_id=None if named is None else named.decode(errors="replace"),
    )


async def _inside(payload: Payload, ring: KeyProvider | None) -> Payload | None:
    layout = identify(payload.metadata)
    # What a literal holds is content, however it looks.
    if layout in (Layout.CONTENT, Layout.LITERAL) or (layout in _ENCRYPTED and ring is None):
        return None
    if layout in _ENCRYPTED:
        opener = Opener(ring)
        return opener.open(payload) or await opener.fetch(payload)
    return await decompressed(layout, payload, DEFAULT_LIMIT)
