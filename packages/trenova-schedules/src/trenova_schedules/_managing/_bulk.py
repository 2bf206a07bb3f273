"""One action on every schedule that matches, and undoing exactly that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._definition import CRON_MEMO
from trenova_schedules._managing._changing import Changer
from trenova_schedules._managing._listing import bounded
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CATCH_UP_MEMO, PAUSED_MEMO, CatchUp, missed_ticks, pausing
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._restoring import cron_memo, restore, same, saved, whole_state
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, ScheduleChange
from trenova_schedules._managing._write import write_schedule
from trenova_schedules._reading import ScheduleConflictError, ScheduleSnapshot, read_schedule

UNDOABLE: Final = frozenset({BulkAction.PAUSE, BulkAction.RESUME, BulkAction.UPDATE})
"""What a receipt can undo; a run that was started stays, and what was deleted is gone."""

Tell = Callable[[str, Callable[[], Awaitable[ScheduleChange]]], Awaitable[ScheduleChange]]
"""Does the work on the schedule of an id, and tells the audit trail of it."""


async def planned(
    changer: Changer,
    ids: Sequence[str],
    action: BulkAction,
    patch: SchedulePatch | None,
    catch_up: CatchUp,
    *,
    at_once: int,
) -> list[BulkItem]:
    """Say what the action would do to each schedule; nothing is changed."""

    async def one(schedule_id: str) -> BulkItem:
        snapshot = await read_schedule(changer.client, schedule_id)
        paused = snapshot.document.paused
        if (action is BulkAction.PAUSE and paused) or (action is BulkAction.RESUME and not paused):
            return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.UNCHANGED, reason=snapshot.document.note)
        reason = ""
        if action is BulkAction.RESUME and catch_up is not CatchUp.NONE:
            missed, _ = await missed_ticks(changer.client, snapshot, None)
            count = min(missed.count, 1) if catch_up is CatchUp.LAST else missed.count
            reason = f"{count} missed ticks would be started"
        if action is BulkAction.UPDATE and patch is not None:
            await changer.check(snapshot, patch)
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.PLANNED, reason=reason)

    return await bounded(at_once, ids, lambda schedule_id: _safely(schedule_id, one))


async def done(ids: Sequence[str], do: Callable[[str], Awaitable[ScheduleChange]], at_once: int) -> list[BulkItem]:
    """Do the action to each schedule; what fails fails alone."""

    async def one(schedule_id: str) -> BulkItem:
        change = await do(schedule_id)
        outcome = BulkOutcome.DONE if change.changed else BulkOutcome.UNCHANGED
        reason = f"{change.caught_up} missed ticks started" if change.caught_up else ""
        return BulkItem(schedule_id=schedule_id, outcome=outcome, reason=reason)

    return await bounded(at_once, ids, lambda schedule_id: _safely(schedule_id, one))


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


async def undone(
    changer: Changer, receipt: Receipt, reason: str, catch_up: CatchUp, tell: Tell, *, at_once: int
) -> list[BulkItem]:
    """Make each schedule of a receipt what it was, unless somebody has changed it since; each change is told."""
    items = {str(item["scheduleId"]): item for item in receipt.items}

    async def one(schedule_id: str) -> BulkItem:
        item = {**items[schedule_id], "after": items[schedule_id]["after"] or _expected(receipt)}
        return await _undo(changer, BulkAction(receipt.action), item, reason, catch_up, tell)

    return await bounded(at_once, sorted(items), lambda schedule_id: _safely(schedule_id, one))


def _expected(receipt: Receipt) -> dict[str, Any] | None:
    """Return what an action that was interrupted made of a schedule; None where that cannot be told."""
    action = BulkAction(receipt.action)
    if action not in {BulkAction.PAUSE, BulkAction.RESUME}:
        return None
    schedule = Schedule()
    pausing(receipt.actor, " ".join((receipt.reason or "").split()), pause=action is BulkAction.PAUSE)(schedule)
    return {"paused": schedule.state.paused, "note": schedule.state.notes}


async def _undo(  # noqa: PLR0917 - what one undo is about
    changer: Changer, action: BulkAction, item: Mapping[str, Any], reason: str, catch_up: CatchUp, tell: Tell
) -> BulkItem:
    schedule_id, before, after = str(item["scheduleId"]), item["before"], item["after"]
    snapshot = await read_schedule(changer.client, schedule_id)
    now = saved(snapshot, whole="spec" in before)
    if same(now, before):
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.UNCHANGED, reason="it is what it was before")
    if after is None or not same(now, after):
        known = "it is not known what the action made of it" if after is None else "somebody has changed it since"
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.CONFLICT, reason=f"{known}; look at it yourself")

    async def work() -> ScheduleChange:
        if action is BulkAction.PAUSE and not before["paused"]:
            return await changer.resume(schedule_id, reason, snapshot.document.etag, catch_up=catch_up)
        return await _restored(changer, snapshot, before, reason)

    change = await tell(schedule_id, work)
    told = f"{change.caught_up} missed ticks started" if change.caught_up else ""
    return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.DONE, reason=told)


async def _restored(
    changer: Changer, snapshot: ScheduleSnapshot, before: Mapping[str, Any], reason: str
) -> ScheduleChange:
    pauses = before["paused"] and not snapshot.document.paused
    memo: dict[str, Any] = {CRON_MEMO: cron_memo(before)} if "spec" in before else {}
    if pauses:
        memo |= {PAUSED_MEMO: datetime.now(UTC).isoformat(), CATCH_UP_MEMO: None}

    def change(schedule: Any) -> None:
        restore(schedule, before)
        if pauses:
            pausing(changer.who, reason, pause=True)(schedule)

    after = await write_schedule(changer.client, snapshot, change, identity=changer.identity, memo=memo)
    return ScheduleChange(
        schedule_id=snapshot.document.id, action="undo", changed=True, before=snapshot.document, after=after.document
    )


async def _safely(schedule_id: str, do: Callable[[str], Awaitable[BulkItem]]) -> BulkItem:
    try:
        return await do(schedule_id)
    except ScheduleConflictError as error:
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.CONFLICT, reason=error.message)
    except (ApplicationError, RPCError) as error:
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.FAILED, reason=error.message)
