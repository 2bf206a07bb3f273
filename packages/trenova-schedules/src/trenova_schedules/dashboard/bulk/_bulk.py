"""What a bulk action would do or did, schedule by schedule, for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, BulkResult
from trenova_schedules.dashboard._looks import FAILED, Look
from trenova_schedules.server._api import Caller
from trenova_schedules.server._permitted import permitted_lines, role_for

_LOOKS: Final = {
    BulkOutcome.FAILED: FAILED,
    BulkOutcome.CONFLICT: Look("cross-box", "conflict", "warn"),
    BulkOutcome.PLANNED: Look("ring", "to do", "busy"),
    BulkOutcome.DONE: Look("dot", "done", "good"),
    BulkOutcome.UNCHANGED: Look("skip", "unchanged", "calm"),
}
_FORBIDDEN: Final = Look("cross", "not allowed", "warn")
_GONE: Final = Look("question", "not there", "unknown")
_LEFT: Final = Look("skip", "left alone", "calm")
_ORDER: Final = (
    *(_LOOKS[outcome] for outcome in (BulkOutcome.FAILED, BulkOutcome.CONFLICT)),
    *(_FORBIDDEN, _GONE, _LEFT),
    *(_LOOKS[outcome] for outcome in (BulkOutcome.PLANNED, BulkOutcome.DONE, BulkOutcome.UNCHANGED)),
)


@dataclass(frozen=True, kw_only=True)
class BulkRow:
    """One schedule of many.

    Attributes:
        schedule_id: Which.
        look: What would become, or became, of it.
        reason: Why, or what there is to say.
    """

    schedule_id: str
    look: Look
    reason: str


@dataclass(frozen=True, kw_only=True)
class BulkView:
    """What became of all of them, or would.

    Attributes:
        result: Of the dry run, or of what was done.
        rows: One for each schedule that was asked for; those that somebody has to look at come first.
        counts: How many have which look, in the same order.
    """

    result: BulkResult
    rows: Sequence[BulkRow]
    counts: Sequence[tuple[Look, int]]

    @property
    def planned(self) -> int:
        """How many would be changed."""
        return self.result.counts.get(BulkOutcome.PLANNED, 0)

    @property
    def done(self) -> int:
        """How many were changed."""
        return self.result.counts.get(BulkOutcome.DONE, 0)

    @property
    def starts(self) -> int:
        """Missed ticks that would be, or were, started."""
        return sum(item.starts for item in self.result.items)

    @property
    def again(self) -> Sequence[str]:
        """The schedules of which it may be tried again."""
        wrong = {BulkOutcome.FAILED, BulkOutcome.CONFLICT}
        return [item.schedule_id for item in self.result.items if item.outcome in wrong]

    @property
    def gone(self) -> Sequence[str]:
        """The schedules that are deleted now."""
        deleted = self.result.action is BulkAction.DELETE and not self.result.dry_run
        return [item.schedule_id for item in self.result.items if deleted and item.outcome is BulkOutcome.DONE]


async def bulk_view(caller: Caller, result: BulkResult, asked: Iterable[str]) -> BulkView:
    """Gather what is shown of a result.

    Args:
        caller: Who asks.
        result: Of the dry run, or of what was done.
        asked: The schedules that were selected; the result leaves out those on which the caller may not do it.
    """
    told = {item.schedule_id for item in result.items}
    rows = [*map(_row, result.items), *await _left(caller, result, [one for one in asked if one not in told])]
    rows.sort(key=lambda row: (_ORDER.index(row.look), row.schedule_id))
    looks = dict.fromkeys(row.look for row in rows)
    return BulkView(result=result, rows=rows, counts=[(look, sum(row.look == look for row in rows)) for look in looks])


def seen_in(result: BulkResult) -> dict[str, str]:
    """Return what the form carries of a dry run: the ETags of those that would be changed, by id."""
    return {item.schedule_id: item.etag for item in result.items if item.outcome is BulkOutcome.PLANNED}


def _row(item: BulkItem) -> BulkRow:
    return BulkRow(schedule_id=item.schedule_id, look=_LOOKS[item.outcome], reason=item.reason)


async def _left(caller: Caller, result: BulkResult, silent: Sequence[str]) -> list[BulkRow]:
    """Say why nothing was done about schedules that were asked for."""
    if not silent:
        return []
    lines = await permitted_lines(caller, ScheduleFilter(ids=tuple(silent)))
    labels = {line.id: line.labels for line in lines}
    role = role_for(result.action)
    return [
        BulkRow(schedule_id=one, look=_GONE, reason="or not yours to look at")
        if one not in labels
        else BulkRow(schedule_id=one, look=_LEFT, reason="as the dry run had said")
        if caller.may(role, labels[one])
        else BulkRow(schedule_id=one, look=_FORBIDDEN, reason=f"needs the role {role} on it")
        for one in silent
    ]
