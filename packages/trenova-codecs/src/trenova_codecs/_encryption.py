"""AES-256-GCM over whole payloads.

Two wire formats, which ``docs/payload-formats.md`` describes. *compat* is shared with the samples of Temporal's
Go, TypeScript, .NET and Ruby SDKs; *v2* authenticates its metadata and uses a derived key per process and day.
"""

from datetime import date
from typing import get_args

from trenova_codecs._compression import DEFAULT_LIMIT
from trenova_codecs._keys import KeyProvider, exemption_of
from trenova_codecs._pipeline import Pipeline
from trenova_codecs._plaintext import OnPlaintext, PlaintextPolicy
from trenova_codecs._sealing import Format
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError


class EncryptionCodec(Pipeline):
    """Encrypt every payload under the active key of a ring; decrypt with the exact key that a payload names.

    It reads both formats whichever it writes, and the compressions that may lie inside or around them, so
    that no history becomes unreadable when options change. Keys are never tried in turn.

    Args:
        ring: The keys.
        format: ``compat`` or ``v2``. Switch to v2 only when every worker and client reads it.
        on_plaintext: What to do when decoding meets a payload that is not encrypted: ``reject`` raises,
            ``warn`` logs and counts, ``allow`` says nothing. On a worker a run with a rejected payload waits.
        plaintext_until: The last day (UTC) on which ``reject`` only warns; for a namespace that holds plain
            payloads from before encryption.
        max_decompressed: Most bytes that one payload may have once decompressed.
        side: Where errors are met; :class:`trenova_codecs.CodecPlugin` sets it.

    Raises:
        ConfigurationError: An option has a value that it cannot have.
    """

    def __init__(
        self,
        ring: KeyProvider,
        *,
        format: Format = "compat",  # noqa: A002 - what the thing is called
        on_plaintext: OnPlaintext = "reject",
        plaintext_until: date | None = None,
        max_decompressed: int = DEFAULT_LIMIT,
        side: Side = Side.WORKER,
    ) -> None:
        if format not in get_args(Format):
            raise ConfigurationError(f"format must be 'compat' or 'v2'; got {format!r}.", option="format")
        self.ring = ring
        self.format = format
        self.plaintext = PlaintextPolicy(on_plaintext, plaintext_until, exemption=lambda: exemption_of(ring))
        self.max_decompressed = max_decompressed
        super().__init__(ring=ring, format=format, plaintext=self.plaintext, limit=max_decompressed, side=Side(side))
