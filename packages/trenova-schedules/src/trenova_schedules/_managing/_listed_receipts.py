"""Lists of receipts, newest first."""

import re
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from trenova_errors import InvalidInputError

_CURSOR: Final = re.compile(r"([0-9]{1,12})\.([^\x00]{1,100})", re.DOTALL)


class ReceiptFilter(BaseModel):
    """Which receipts; all that match everything that is given.

    Attributes:
        action: Of this action.
        actor: By this actor.
        undone: Only those that were undone, or that were not.
        schedule_id: About this schedule, maybe among others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    action: str | None = None
    actor: str | None = None
    undone: bool | None = None
    schedule_id: str | None = None


class ListedReceipt(BaseModel):
    """A receipt without what its schedules were; camelCase on the wire.

    Attributes:
        id: To ask for all of it, or to undo it.
        action: ``pause``, ``resume`` or ``update``.
        actor: By whom.
        reason: Why.
        schedule_ids: The schedules that it is about.
        created_at: When.
        undone_at: When it was undone; None if it was not.
        undone_by: By whom.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    id: str
    action: str
    actor: str
    reason: str | None = None
    schedule_ids: tuple[str, ...] = ()
    created_at: AwareDatetime
    undone_at: AwareDatetime | None = None
    undone_by: str | None = None

    def matches(self, wanted: ReceiptFilter) -> bool:
        """Whether it is among those wanted."""
        return (
            wanted.action in {None, self.action}
            and wanted.actor in {None, self.actor}
            and wanted.undone in {None, self.undone_at is not None}
            and (wanted.schedule_id is None or wanted.schedule_id in self.schedule_ids)
        )


class ReceiptPage(BaseModel):
    """Receipts, newest first; camelCase on the wire.

    Attributes:
        receipts: At most as many as were asked for.
        next_cursor: What to ask with for the next page; None at the end.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    receipts: tuple[ListedReceipt, ...]
    next_cursor: str | None = None


def cursor_after(created_at: datetime, receipt_id: str) -> str:
    """Return the cursor of what is older than a receipt."""
    return f"{int(created_at.timestamp())}.{receipt_id}"


def reached(cursor: str) -> tuple[int, str]:
    """Return the second, in unix time, and the id of the last receipt that was seen.

    Raises:
        InvalidInputError: The cursor is none of ours.
    """
    if (found := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidInputError(f"{cursor[:50]!r} is no cursor of a list of receipts. Give the next cursor of a page.")
    return int(found[1]), found[2]
