"""One event for every decision about a caller and every refusal: logged, counted, handed on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from opentelemetry import metrics

AUDIT_LOGGER: Final = "trenova_access.audit"

_LONGEST: Final = 255
"""Characters of what a caller chose; Temporal's namespaces may have as many."""


@dataclass(frozen=True)
class AuditEvent:
    """Who was let do what, or why not. Holds no credential and nothing of a request's body.

    Attributes:
        action: What was asked for: a role, or ``sign_in``, ``sign_out``, ``new_link``; ``request`` where it was
            refused before anybody asked for more.
        resource: On what, as the request named it, cut at 255 characters; empty where there is none.
        outcome: ``allowed``, or the code of the refusal.
        subject: Who, as far as it is known, cut at 255 characters; empty otherwise.
        method: How they proved it; empty otherwise.
        reason: The refusal in one word of a bounded set; empty where nothing was refused.
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
        "%s on %r by %s: %s%s, from %s",
        event.action,
        event.resource,
        f"{event.subject!r} ({event.method})" if event.method else "nobody known",
        event.outcome,
        f" ({event.reason})" if event.reason else "",
        event.client or "an unknown address",
        extra={"audit": event},
    )


def bounded(event: AuditEvent) -> AuditEvent:
    """The event with what a caller chose cut at a length; ``repr`` escapes it in the log."""
    return replace(event, resource=_cut(event.resource), subject=_cut(event.subject))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def count(event: AuditEvent) -> None:
    """Count a decision in ``trenova_access_decisions``; its labels are bounded."""
    attributes = {"action": event.action, "outcome": event.outcome, "method": event.method or "none"}
    _decisions().add(1, attributes | ({"reason": event.reason} if event.reason else {}))


def _decisions() -> metrics.Counter:
    return metrics.get_meter("trenova_access").create_counter(
        "trenova_access_decisions", unit="1", description="Decisions about callers, by outcome."
    )


def count_refusal(outcome: str, reason: str) -> None:
    """Count a refused request in ``trenova_access_refusals``; both labels are words of the program."""
    counter = metrics.get_meter("trenova_access").create_counter(
        "trenova_access_refusals", unit="1", description="Refused requests, each once, by reason."
    )
    counter.add(1, {"outcome": outcome, "reason": reason})
