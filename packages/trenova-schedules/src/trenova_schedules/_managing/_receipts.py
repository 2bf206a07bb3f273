"""What a bulk action changed, so that exactly that can be undone."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trenova_schedules._managing._listed_receipts import ReceiptFilter, ReceiptPage


class Receipt(BaseModel):
    """A bulk action and what it changed; camelCase on the wire.

    Attributes:
        id: To ask for it again.
        action: ``pause``, ``resume`` or ``update``.
        actor: By whom.
        reason: Why.
        items: One for each schedule that was changed, or was about to be when the process died: ``scheduleId``,
            ``before`` and ``after``, what the action changed; an ``after`` of null is not known.
        created_at: When.
        undone_at: When it was undone; None if it was not.
        undone_by: By whom.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    action: str
    actor: str
    reason: str | None = None
    items: tuple[Mapping[str, Any], ...] = ()
    created_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    undone_at: AwareDatetime | None = None
    undone_by: str | None = None

    @property
    def schedule_ids(self) -> tuple[str, ...]:
        """The schedules that it is about, in the order of its items."""
        return tuple(str(item["scheduleId"]) for item in self.items)


class ReceiptStore(Protocol):
    """Keeps receipts."""

    async def keep(self, receipt: Receipt) -> None:
        """Store a receipt; the same id again replaces its items."""
        ...

    async def find(self, receipt_id: str) -> Receipt | None:
        """Return a receipt, or None."""
        ...

    async def read(
        self, wanted: ReceiptFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> ReceiptPage:
        """Return a page of those that match, newest first."""
        ...

    async def undone(self, receipt_id: str, *, actor: str) -> bool:
        """Mark a receipt as undone; False if it was before or is not there."""
        ...
