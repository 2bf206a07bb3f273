"""What one action would do to every schedule that matches; nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trenova_schedules._managing._bulk import Heard, each
from trenova_schedules._managing._changing import ANY_ETAG, Changer, changes_nothing, matching
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CatchUp, missed_in_words, ticks_to_start
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome
from trenova_schedules._reading import ScheduleSnapshot, read_schedule

_SO_ALREADY: Final = "it is so already"


@dataclass(frozen=True, kw_only=True)
class BulkPlan:
    """Says what an action would do to each schedule.

    Attributes:
        changer: Would do it to one.
        action: What.
        patch: Of an update.
        catch_up: Of a resume.
        etags: Of what the action was decided on, by id; one that has another by now is a conflict.
    """

    changer: Changer
    action: BulkAction
    patch: SchedulePatch | None
    catch_up: CatchUp
    etags: Mapping[str, str]

    async def of(self, ids: Sequence[str], at_once: int, heard: Heard | None) -> list[BulkItem]:
        """Return an item for each schedule, a bounded number at a time."""
        return await each(ids, self._one, at_once, heard)

    async def _one(self, schedule_id: str) -> BulkItem:
        snapshot = await read_schedule(self.changer.client, schedule_id)
        matching(snapshot, self.etags.get(schedule_id, ANY_ETAG))
        item = BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.PLANNED, etag=snapshot.document.etag)
        return item.model_copy(update=await self._becomes(snapshot))

    async def _becomes(self, snapshot: ScheduleSnapshot) -> Mapping[str, object]:
        document = snapshot.document
        match self.action:
            case BulkAction.PAUSE if document.paused:
                return {"outcome": BulkOutcome.UNCHANGED, "reason": document.note}
            case BulkAction.RESUME:
                return await self._resumed(snapshot)
            case BulkAction.UPDATE if self.patch is not None:
                return await self._updated(snapshot, self.patch)
            case BulkAction.TRIGGER if document.running and document.overlap == "skip":
                return {"reason": "a run is under way, and its overlap policy starts none beside it"}
            case BulkAction.DELETE if document.running:
                return {"reason": f"runs under way go on: {len(document.running)}"}
        return {}

    async def _resumed(self, snapshot: ScheduleSnapshot) -> Mapping[str, object]:
        if not snapshot.document.paused:
            return {"outcome": BulkOutcome.UNCHANGED, "reason": snapshot.document.note}
        if self.catch_up is CatchUp.NONE:
            return {}
        _, count = await ticks_to_start(self.changer.client, snapshot, self.catch_up)
        return {"reason": f"{missed_in_words(count)} would be started", "starts": count}

    async def _updated(self, snapshot: ScheduleSnapshot, patch: SchedulePatch) -> Mapping[str, object]:
        if changes_nothing(snapshot, patch, await self.changer.check(snapshot, patch)):
            return {"outcome": BulkOutcome.UNCHANGED, "reason": _SO_ALREADY}
        return {}
