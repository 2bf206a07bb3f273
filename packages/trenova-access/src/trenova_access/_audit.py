"""One event for every decision about a caller: logged, counted, handed on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from opentelemetry import metrics

AUDIT_LOGGER: Final = "trenova_access.audit"


@dataclass(frozen=True)
class AuditEvent:
    """Who was let do what, or why not. Holds no credential and nothing of a request's body.

    Attributes:
        action: What was asked for: a role, or ``sign_in``, ``sign_out``, ``new_link``.
        resource: On what; empty where there is none.
        outcome: ``allowed``, or the code of the refusal.
        subject: Who, as far as it is known; empty otherwise.
        method: How they proved it; empty otherwise.
        reason: The refusal in one word, where there is a finer one.
        client: The address at the other end of the connection (a proxy's, behind one).
    """

    action: str
    resource: str = ""
    outcome: str = "allowed"
    subject: str = ""
    method: str = ""
    reason: str = ""
    client: str = ""


AuditHook = Callable[[AuditEvent], None]
"""Receives every event at once; it must not block and must not raise."""


def log_audit(event: AuditEvent) -> None:
    """Log an event under ``trenova_access.audit``: refusals as warnings, the rest as information.

    The fields travel as ``extra`` for structured logging.
    """
    level = logging.INFO if event.outcome == "allowed" else logging.WARNING
    logging.getLogger(AUDIT_LOGGER).log(
        level,
        "%s on %r by %r (%s): %s%s",
        event.action,
        event.resource,
        event.subject,
        event.method or "no credential",
        event.outcome,
        f" ({event.reason})" if event.reason else "",
        extra={"audit": event},
    )


def count(event: AuditEvent) -> None:
    """Count an event in ``trenova_access_decisions``; its labels are bounded."""
    attributes = {"action": event.action, "outcome": event.outcome, "method": event.method or "none"}
    _decisions().add(1, attributes | ({"reason": event.reason} if event.reason else {}))


def _decisions() -> metrics.Counter:
    return metrics.get_meter("trenova_access").create_counter(
        "trenova_access_decisions", unit="1", description="Decisions about callers, by outcome."
    )
