"""One action on every schedule that matches."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._managing._changing import Changer
from trenova_schedules._managing._listing import bounded
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import missed_in_words
from trenova_schedules._managing._restoring import saved, whole_state
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, ScheduleChange
from trenova_schedules._reading import ScheduleConflictError, read_schedule

UNDOABLE: Final = frozenset({BulkAction.PAUSE, BulkAction.RESUME, BulkAction.UPDATE})
"""What a receipt can undo; a run that was started stays, and what was deleted is gone."""


Heard = Callable[[BulkItem], None]
"""Is told of each schedule as soon as its outcome is known."""


async def done(
    ids: Sequence[str], do: Callable[[str], Awaitable[ScheduleChange]], at_once: int, heard: Heard | None
) -> list[BulkItem]:
    """Do the action to each schedule; what fails fails alone."""

    async def one(schedule_id: str) -> BulkItem:
        change = await do(schedule_id)
        outcome = BulkOutcome.DONE if change.changed else BulkOutcome.UNCHANGED
        reason = f"{missed_in_words(change.caught_up)} started" if change.caught_up else ""
        return BulkItem(schedule_id=schedule_id, outcome=outcome, reason=reason, starts=change.caught_up)

    return await each(ids, one, at_once, heard)


async def states_of(changer: Changer, ids: Sequence[str], *, whole: bool, at_once: int) -> dict[str, dict[str, Any]]:
    """Return what each schedule is now, as a receipt keeps it; those that are gone are left out."""

    async def one(schedule_id: str) -> tuple[str, dict[str, Any] | None]:
        try:
            return schedule_id, saved(await read_schedule(changer.client, schedule_id), whole=whole)
        except (ApplicationError, RPCError):
            return schedule_id, None

    found = await bounded(at_once, ids, one)
    return {schedule_id: state for schedule_id, state in found if state is not None}


def item_of(schedule_id: str, before: Mapping[str, Any], after: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an item of a receipt; without an ``after``, the action was begun and is not known to have been done."""
    return {"scheduleId": schedule_id, "before": dict(before), "after": None if after is None else dict(after)}


async def expected_of(
    changer: Changer, ids: Sequence[str], patch: SchedulePatch, at_once: int
) -> dict[str, dict[str, Any]]:
    """Return what an update will make of each schedule, so that one that was killed can be undone.

    Those of which it would be refused are left out.
    """

    async def one(schedule_id: str) -> tuple[str, dict[str, Any] | None]:
        try:
            snapshot = await read_schedule(changer.client, schedule_id)
            proposed = await changer.check(snapshot, patch)
        except (ApplicationError, RPCError):
            return schedule_id, None
        kept = None if patch.forgets_cron else snapshot.document.cron
        return schedule_id, whole_state(proposed, patch.cron or kept)

    found = await bounded(at_once, ids, one)
    return {schedule_id: state for schedule_id, state in found if state is not None}


async def each(
    ids: Sequence[str], do: Callable[[str], Awaitable[BulkItem]], at_once: int, heard: Heard | None
) -> list[BulkItem]:
    """Do something about each schedule, a bounded number at a time; a failure is what became of that one."""

    async def one(schedule_id: str) -> BulkItem:
        item = await _safely(schedule_id, do)
        if heard is not None:
            heard(item)
        return item

    return await bounded(at_once, ids, one)


async def _safely(schedule_id: str, do: Callable[[str], Awaitable[BulkItem]]) -> BulkItem:
    try:
        return await do(schedule_id)
    except ScheduleConflictError:
        reason = "somebody has changed it meanwhile; nothing of this was done"
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.CONFLICT, reason=reason)
    except (ApplicationError, RPCError) as error:
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.FAILED, reason=error.message)
