"""Making the schedules of a receipt what they were."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.api.schedule.v1 import Schedule

from trenova_schedules._definition import CRON_MEMO
from trenova_schedules._managing._bulk import Heard, each
from trenova_schedules._managing._changing import Changer
from trenova_schedules._managing._pausing import (
    CATCH_UP_MEMO,
    PAUSED_MEMO,
    CatchUp,
    missed_in_words,
    pausing,
    ticks_to_start,
)
from trenova_schedules._managing._receipt_changes import receipt_changes
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._restoring import cron_memo, restore, same, saved
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, ScheduleChange
from trenova_schedules._managing._write import write_schedule
from trenova_schedules._reading import ScheduleSnapshot, read_schedule

Tell = Callable[[str, Callable[[], Awaitable[ScheduleChange]]], Awaitable[ScheduleChange]]
"""Does the work on the schedule of an id, and tells the audit trail of it."""

_NOT_KNOWN: Final = "it is not known what the action made of it"


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """Undoes one receipt, or says what that would do.

    Attributes:
        changer: Changes one schedule.
        receipt: What to undo.
        reason: Why.
        catch_up: What to start of the ticks that a pause, which is undone, has missed.
    """

    changer: Changer
    receipt: Receipt
    reason: str
    catch_up: CatchUp

    async def plan(self, at_once: int, heard: Heard | None) -> list[BulkItem]:
        """Say what would become of each schedule; nothing is changed."""
        return await self._each(self._planned, at_once, heard)

    async def do(self, tell: Tell, at_once: int, heard: Heard | None) -> list[BulkItem]:
        """Make each what it was, unless somebody has changed it since; each change is told."""

        async def one(schedule_id: str, snapshot: ScheduleSnapshot, before: Mapping[str, Any]) -> BulkItem:
            async def work() -> ScheduleChange:
                if self._resumes(before):
                    etag = snapshot.document.etag
                    return await self.changer.resume(schedule_id, self.reason, etag, catch_up=self.catch_up)
                return await self._restored(snapshot, before)

            change = await tell(schedule_id, work)
            told = f"{missed_in_words(change.caught_up)} started" if change.caught_up else ""
            return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.DONE, reason=told, starts=change.caught_up)

        return await self._each(one, at_once, heard)

    async def _each(
        self,
        do: Callable[[str, ScheduleSnapshot, Mapping[str, Any]], Awaitable[BulkItem]],
        at_once: int,
        heard: Heard | None,
    ) -> list[BulkItem]:
        items = {str(item["scheduleId"]): item for item in self.receipt.items}

        async def one(schedule_id: str) -> BulkItem:
            before, after = items[schedule_id]["before"], items[schedule_id]["after"] or self._expected()
            snapshot = await read_schedule(self.changer.client, schedule_id)
            now = saved(snapshot, whole="spec" in before)
            if same(now, before):
                reason = "it is what it was before"
                return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.UNCHANGED, reason=reason)
            if after is None or not same(now, after):
                known = (
                    "it is not known what the action made of it" if after is None else "somebody has changed it since"
                )
                reason = f"{known}; look at it yourself"
                return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.CONFLICT, reason=reason)
            return await do(schedule_id, snapshot, before)

        return await each(sorted(items), one, at_once, heard)

    async def _planned(self, schedule_id: str, snapshot: ScheduleSnapshot, before: Mapping[str, Any]) -> BulkItem:
        count, etag = 0, snapshot.document.etag
        if self._resumes(before):
            reason = "would be resumed"
            if self.catch_up is not CatchUp.NONE:
                _, count = await ticks_to_start(self.changer.client, snapshot, self.catch_up)
                reason = f"would be resumed, and {missed_in_words(count)} started"
        elif before["paused"] and not snapshot.document.paused:
            reason = "would be paused again"
        else:
            changes = receipt_changes(before, saved(snapshot, whole="spec" in before))
            reason = f"would be as before: {', '.join(one.name for one in changes)}"
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.PLANNED, reason=reason, starts=count, etag=etag)

    def _resumes(self, before: Mapping[str, Any]) -> bool:
        return BulkAction(self.receipt.action) is BulkAction.PAUSE and not before["paused"]

    def _expected(self) -> dict[str, Any] | None:
        """Return what an action that was interrupted made of a schedule; None where that cannot be told."""
        action = BulkAction(self.receipt.action)
        if action not in {BulkAction.PAUSE, BulkAction.RESUME}:
            return None
        schedule = Schedule()
        reason = " ".join((self.receipt.reason or "").split())
        pausing(self.receipt.actor, reason, pause=action is BulkAction.PAUSE)(schedule)
        return {"paused": schedule.state.paused, "note": schedule.state.notes}

    async def _restored(self, snapshot: ScheduleSnapshot, before: Mapping[str, Any]) -> ScheduleChange:
        pauses = before["paused"] and not snapshot.document.paused
        memo: dict[str, Any] = {CRON_MEMO: cron_memo(before)} if "spec" in before else {}
        if pauses:
            memo |= {PAUSED_MEMO: datetime.now(UTC).isoformat(), CATCH_UP_MEMO: None}

        def change(schedule: Any) -> None:
            restore(schedule, before)
            if pauses:
                pausing(self.changer.who, self.reason, pause=True)(schedule)

        after = await write_schedule(self.changer.client, snapshot, change, identity=self.changer.identity, memo=memo)
        return ScheduleChange(
            schedule_id=snapshot.document.id,
            action="undo",
            changed=True,
            before=snapshot.document,
            after=after.document,
        )
