"""Who did what to which schedule, when and why; and where that is kept."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ORGANIZATION: Final = "organization"
"""The label that says whose a schedule is."""


class Actor(BaseModel):
    """Who asks.

    Attributes:
        name: Subject of a token, or what a command line claims.
        verified: Whether somebody has authenticated the name; what was not is marked as a claim wherever it is told.
        source: Through which door: ``cli``, ``rest`` or ``api``.
        request_id: Of the request, to find it in logs.
        organization_id: For whose schedules, where they belong to organizations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=180)
    verified: bool = False
    source: str = Field(default="api", max_length=20)
    request_id: str | None = Field(default=None, max_length=100)
    organization_id: str | None = Field(default=None, max_length=100)

    @property
    def told(self) -> str:
        """The name as notes and audit entries have it."""
        return self.name if self.verified else f"{self.name} (claimed)"


class AuditEntry(BaseModel):
    """One thing that somebody did, or tried to do; camelCase on the wire.

    Attributes:
        id: Of the entry.
        at: When.
        actor: Who, as :attr:`Actor.told` has it.
        action: ``create``, ``update``, ``pause``, ``resume``, ``trigger``, ``delete``, ``undo``.
        schedule_id: To which schedule.
        organization_id: Whose schedule it is, where schedules belong to organizations.
        outcome: ``done``; ``refused`` when it was not allowed, invalid or conflicted; ``failed``; ``unknown`` where the
            process ended before it could say.
        reason: Why, in the actor's words.
        request_id: Of the request, to find it in logs.
        source: Through which door.
        before: The document before; None where there was none.
        after: The document afterwards; None where there is none.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    actor: str
    action: str
    schedule_id: str | None = None
    organization_id: str | None = None
    outcome: Literal["done", "refused", "failed", "unknown"] = "done"
    reason: str | None = None
    request_id: str | None = None
    source: str = "api"
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class AuditSink(Protocol):
    """Keeps audit entries. What ``record`` raises is the caller's to see: the action has been done then."""

    async def begin(self, entry: AuditEntry) -> None:
        """Keep that something is about to be done; without an entry of that id, it is told as ``unknown`` later.

        Whatever this raises keeps it from being done.
        """
        ...

    async def forget(self, entry: AuditEntry) -> None:
        """Take that back, since nothing was done."""
        ...

    async def record(self, *entries: AuditEntry) -> None:
        """Add entries, all or none; those whose id is there already are left as they are."""
        ...
