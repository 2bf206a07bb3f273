"""One request from its head to its answer: what is known of it, and whether its refusal was told."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Self

from starlette.requests import HTTPConnection
from starlette.types import Scope

from trenova_access._audit import AuditEvent
from trenova_access._errors import AccessError

_KEY: Final = "trenova_access"
_REASON: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")
"""Reasons are labels of a metric: words of the program, never text of a caller."""

Tell = Callable[[HTTPConnection, AuditEvent], None]
ResourceOf = Callable[[HTTPConnection], str]


def no_resource(_: HTTPConnection) -> str:
    """For applications whose requests do not say what they are about."""
    return ""


@dataclass
class RequestRecord:
    """What audit lines of one request say, in its ASGI scope.

    Attributes:
        tell: Receives the event of the refusal, once.
        resource_of: What the request claims to be about.
        known: The last decision that let the caller through, or that nothing was decided yet.
        refused: Whether the refusal was told, here or in a line of the application's own.
        limit: What bounds its time.
    """

    tell: Tell
    resource_of: ResourceOf = no_resource
    known: AuditEvent = field(default_factory=lambda: AuditEvent("request"))
    refused: bool = False
    limit: asyncio.Timeout | None = None

    @classmethod
    def of(cls, scope: Scope) -> Self | None:
        """The record of a request, None where no :class:`Access` protects its application."""
        found = scope.get(_KEY)
        return found if isinstance(found, cls) else None

    @classmethod
    def begin(cls, scope: Scope, tell: Tell, resource_of: ResourceOf = no_resource) -> Self:
        """Put a record into the scope, unless an outer application did."""
        record = cls.of(scope) or cls(tell, resource_of)
        scope[_KEY] = record
        return record

    def refuse(self, connection: HTTPConnection, outcome: str, reason: str) -> None:
        """Tell a refusal, unless this request's was told."""
        if not self.refused:
            self.tell(connection, replace(self.known, outcome=outcome, reason=bounded_reason(reason)))


def report(scope: Scope, error: AccessError) -> None:
    """Tell that a request is refused with this error, unless its refusal was told."""
    if record := RequestRecord.of(scope):
        record.refuse(HTTPConnection(scope), error.code, reason_of(error))


def reason_of(error: AccessError) -> str:
    """The refusal in one word: the finer one if the error has it, otherwise the end of its code."""
    return str(error.facts.get("reason") or error.code.rpartition(".")[2])


def bounded_reason(reason: str) -> str:
    """The word itself, or ``other`` where it is none that may become a label."""
    return reason if _REASON.fullmatch(reason) else "other"
