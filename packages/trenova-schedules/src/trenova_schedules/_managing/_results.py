"""What became of a change, and of many."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._reading._document import WireDocument


class ScheduleChange(WireDocument):
    """What a change did to one schedule; camelCase on the wire.

    Attributes:
        schedule_id: Of the schedule.
        action: What was done.
        changed: Whether anything was; a schedule may have been what was asked for already.
        before: As it was; None where there was none.
        after: As it is; None where there is none.
        caught_up: Missed ticks for which the server was asked for a run.
    """

    schedule_id: str
    action: str
    changed: bool
    before: ScheduleDocument | None = None
    after: ScheduleDocument | None = None
    caught_up: int = 0


class BulkAction(StrEnum):
    """What can be done to many schedules at once."""

    PAUSE = "pause"
    RESUME = "resume"
    UPDATE = "update"
    TRIGGER = "trigger"
    DELETE = "delete"


class BulkOutcome(StrEnum):
    """What became of one schedule of many."""

    PLANNED = "planned"
    DONE = "done"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    FAILED = "failed"


class BulkItem(WireDocument):
    """One schedule of a bulk action.

    Attributes:
        schedule_id: Of the schedule.
        outcome: ``planned`` in a dry run: it would be changed.
        reason: Why not, where it was not; or what a dry run has to say, such as how many ticks would be caught up.
        starts: Missed ticks that were started, or that a dry run would start.
        etag: In a dry run, of the schedule as it was looked at; whoever does it can say that it is decided on that.
    """

    schedule_id: str
    outcome: BulkOutcome
    reason: str = ""
    starts: int = 0
    etag: str = ""


class BulkResult(WireDocument):
    """What became of a bulk action; camelCase on the wire.

    Attributes:
        action: What was done.
        dry_run: Whether it was only planned.
        items: One for each schedule that matched, by id.
        counts: How many have which outcome.
        receipt: What undoes it; None for a dry run and for what cannot be undone.
    """

    action: BulkAction
    dry_run: bool
    items: tuple[BulkItem, ...]
    counts: Mapping[str, int]
    receipt: Receipt | None = None

    @classmethod
    def of(
        cls, action: BulkAction, items: list[BulkItem], *, dry_run: bool = False, receipt: Receipt | None = None
    ) -> "BulkResult":
        """Sort and count."""
        counts = Counter(item.outcome.value for item in items)
        ordered = tuple(sorted(items, key=lambda item: item.schedule_id))
        return cls(action=action, dry_run=dry_run, items=ordered, counts=dict(counts), receipt=receipt)
