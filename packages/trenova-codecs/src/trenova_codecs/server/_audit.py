"""One line for every request that was let through: who read or wrote how much with which keys."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from trenova_codecs._counted import counted

AUDIT_LOGGER: Final = "trenova_codecs.audit"


@dataclass(frozen=True)
class CodecEvent:
    """One decode or encode. Holds nothing of a payload and no credential.

    Attributes:
        operation: ``decode`` or ``encode``.
        namespace: As the request named it.
        subject: Who asked.
        method: How they proved it.
        outcome: ``done``, the code of the error, or ``canceled`` where nobody was there to be answered.
        payloads: How many the request held.
        size_in: Bytes of the request's body.
        size_out: Bytes of the answer's body, 0 when there was an error.
        key_ids: Ids of the keys that it asked for, sorted, each cut at 64 characters.
        reason: The refusal in one word; empty where nothing was refused.
    """

    operation: str
    namespace: str
    subject: str
    method: str
    outcome: str
    payloads: int
    size_in: int
    size_out: int
    key_ids: tuple[str, ...]
    reason: str = ""


CodecAuditHook = Callable[[CodecEvent], None]
"""Receives every event at once; it must not block and must not raise."""


def log_codec_event(event: CodecEvent) -> None:
    """Log an event under ``trenova_codecs.audit``: what was refused as a warning, the rest as information.

    The fields travel also as ``extra`` for structured logging.
    """
    logging.getLogger(AUDIT_LOGGER).log(
        logging.WARNING if event.reason else logging.INFO,
        "%s in %r by %r (%s): %s%s, %s, %d bytes in, %d out, keys %s",
        *(event.operation, event.namespace, event.subject, event.method),
        *(event.outcome, f" ({event.reason})" if event.reason else ""),
        *(
            counted(event.payloads, "payload"),
            event.size_in,
            event.size_out,
            ", ".join(map(repr, event.key_ids)) or "none",
        ),
        extra={"audit": asdict(event)},
    )
