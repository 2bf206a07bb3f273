"""What became of ticks. Needs the database."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import described, find_schedules
from trenova_schedules._previewing._limits import require_window
from trenova_schedules._reading._document import WireDocument
from trenova_schedules._slo import ScheduleSlo
from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.server._api import Caller, Reader
from trenova_schedules.server._documented import documented
from trenova_schedules.server._parameters import Limit, Moment, ScheduleId
from trenova_schedules.server._roles import VIEWER

router = APIRouter(tags=["ledger"])

_NEVER_JUDGED = datetime(1970, 1, 1, tzinfo=UTC)
_A_DAY, _A_WEEK = timedelta(days=1), timedelta(days=7)
_AS_PROMISED = frozenset({TickClass.ON_TIME})
_NOT_COUNTED = frozenset({TickClass.PENDING, TickClass.PAUSED, TickClass.INCONCLUSIVE})

From = Annotated[Moment | None, Query(alias="from", description="The first time that counts.")]
To = Annotated[Moment | None, Query(description="The first that no longer counts; now by default.")]


class TickPage(WireDocument):
    """Ticks in order of time.

    Attributes:
        ticks: Each with its one class.
        next_from: What to ask with, as ``from``, for the next page; None at the end.
        known_since: The first tick that the ledger knows of this schedule; None where it knows none.
    """

    ticks: tuple[Tick, ...]
    next_from: datetime | None = None
    known_since: datetime | None = None


class ScheduleRecord(WireDocument):
    """How well a schedule has kept its times.

    Attributes:
        schedule_id: Of the schedule.
        counts: Ticks by class.
        expected: Ticks that should have begun, as far as is known.
        on_time: The share of them that did in time, 0 to 1; None where none was expected.
    """

    schedule_id: str
    counts: Mapping[TickClass, int]
    expected: int
    on_time: float | None = None


class ScheduleStanding(ScheduleRecord):
    """How well a schedule has kept its times, and whether it counts as failing.

    Attributes:
        slo: What is expected of it; None where nothing was said.
        failing_since: The tick that made it failing, by its thresholds; None while it is healthy.
        judged_to: The last tick that was judged; None where none was.
    """

    slo: ScheduleSlo | None = None
    failing_since: datetime | None = None
    judged_to: datetime | None = None


class SloSummary(WireDocument):
    """How well the schedules that the caller may look at have kept their times.

    Attributes:
        start: The first time that counts.
        end: The first that no longer counts.
        schedules: Those that have ticks in between, by id.
    """

    start: datetime
    end: datetime
    schedules: tuple[ScheduleRecord, ...]


@router.get("/schedules/{schedule_id}/ticks", operation_id="ticks", responses=documented(404))
async def ticks(
    *,
    caller: Reader,
    schedule_id: ScheduleId,
    start: From = None,
    to: To = None,
    states: Annotated[list[TickClass] | None, Query(alias="class", max_length=20)] = None,
    limit: Limit = 500,
) -> TickPage:
    """Say what became of every expected tick; the last day by default. Role viewer."""
    await caller.schedule(schedule_id, VIEWER)
    begin, end = _window(start, to, _A_DAY)
    ledger = caller.api.needed_store("The ledger").ticks
    found = await ledger.read(schedule_id, begin, end, states=states, limit=limit + 1)
    more = found[limit].at if len(found) > limit else None
    return TickPage(ticks=tuple(found[:limit]), next_from=more, known_since=await ledger.first(schedule_id))


@router.get("/slo", operation_id="sloSummary", responses=documented())
async def slo(caller: Reader, start: From = None, to: To = None) -> SloSummary:
    """Say how well the schedules have kept their times; the last week by default. Role viewer on any schedule."""
    caller.require_somewhere(VIEWER)
    begin, end = _window(start, to, _A_WEEK)
    store = caller.api.needed_store("The ledger")
    found = await store.ticks.summary(begin, end)
    permitted = await _permitted(caller, set(found))
    records = [record_of(one, found[one]) for one in sorted(permitted)]
    return SloSummary(start=begin, end=end, schedules=tuple(records))


@router.get("/schedules/{schedule_id}/slo", operation_id="scheduleSlo", responses=documented(404))
async def schedule_slo(caller: Reader, schedule_id: ScheduleId, start: From = None, to: To = None) -> ScheduleStanding:
    """Say how well a schedule has kept its times, the last week by default, and whether it is failing. Role viewer."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    begin, end = _window(start, to, _A_WEEK)
    store = caller.api.needed_store("The ledger")
    found = await store.ticks.summary(begin, end, schedule_ids=[schedule_id])
    state = await store.alerts.find(schedule_id)
    return ScheduleStanding(
        **record_of(schedule_id, found.get(schedule_id, Counter())).model_dump(by_alias=False),
        slo=document.slo,
        failing_since=state.failing_since,
        judged_to=state.judged_to if state.judged_to > _NEVER_JUDGED else None,
    )


async def _permitted(caller: Caller, ids: set[str]) -> set[str]:
    if caller.may_everywhere(VIEWER):
        return ids
    service = caller.api.service
    lines = await find_schedules(
        caller.api.client, ScheduleFilter(), registry=service.registry, live=True, at_once=service.at_once
    )
    looked_at = await described(caller.api.client, [one for one in lines if one.id in ids], service.at_once)
    return {one.id for one in looked_at if one.document is not None and caller.may(VIEWER, one.document.labels)}


def record_of(schedule_id: str, counts: Mapping[TickClass, int]) -> ScheduleRecord:
    """Return how well a schedule has kept its times, from its ticks by class."""
    expected = sum(count for state, count in counts.items() if state not in _NOT_COUNTED)
    kept = sum(count for state, count in counts.items() if state in _AS_PROMISED)
    return ScheduleRecord(
        schedule_id=schedule_id,
        counts=dict(counts),
        expected=expected,
        on_time=kept / expected if expected else None,
    )


def _window(start: datetime | None, to: datetime | None, length: timedelta) -> tuple[datetime, datetime]:
    end = to or datetime.now(UTC).replace(microsecond=0)
    return require_window(start or end - length, end, 1)
