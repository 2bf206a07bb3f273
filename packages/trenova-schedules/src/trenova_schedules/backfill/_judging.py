"""Whether a tick has run: by the server's visibility, and by a ledger where there is one."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Protocol

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from trenova_schedules.backfill._call_contract import TicksCall
from trenova_schedules.backfill._contract import BackfillMark
from trenova_schedules.backfill._names import BACKFILL_MEMO, SCHEDULED_AT, SCHEDULED_BY
from trenova_schedules.backfill._request import Policy
from trenova_schedules.backfill._ticks import moment

_PAGE: Final = 1_000


FAILED: Final = frozenset(
    {
        WorkflowExecutionStatus.FAILED,
        WorkflowExecutionStatus.CANCELED,
        WorkflowExecutionStatus.TERMINATED,
        WorkflowExecutionStatus.TIMED_OUT,
    }
)
"""How a run ends that has not done its work."""


class RunLedger(Protocol):
    """What remembers longer than the server whether ticks ran."""

    async def ran(self, schedule_id: str, start: datetime, end: datetime) -> Mapping[datetime, bool]:
        """Say of the ticks in ``[start, end)`` that were classified conclusively whether a run was started for them."""


@dataclass
class TickFacts:
    """What visibility knows of the runs of one tick."""

    running: bool = False
    completed: bool = False
    failed: bool = False
    ours: bool = False

    def note(self, status: WorkflowExecutionStatus | None, *, ours: bool) -> None:
        """Take in one more run."""
        self.running |= status is WorkflowExecutionStatus.RUNNING
        self.completed |= status is WorkflowExecutionStatus.COMPLETED
        self.failed |= status in FAILED
        self.ours |= ours

    @property
    def failed_only(self) -> bool:
        """Whether none of the runs completed or goes on."""
        return self.failed and not (self.completed or self.running)


class Verdict(Enum):
    """What becomes of a tick."""

    DUE = "due"
    HAD_RUN = "had_run"
    UNKNOWN = "unknown"
    OURS = "ours"
    """This backfill started it before, in a call whose answer was lost."""


@dataclass
class Judge:
    """Looks at ticks of one schedule, for the length of a call.

    Attributes:
        client: Of the namespace.
        ledger: None where there is no store.
    """

    client: Client
    ledger: RunLedger | None = None
    _marks: dict[bytes, BackfillMark] = field(default_factory=dict)

    async def verdicts(self, call: TicksCall) -> list[Verdict]:
        """Judge the ticks of a call, in their order."""
        facts = await self.facts(call.schedule_id, call.times, call.mark, until=call.until)
        remembered = await self.remembered(call.schedule_id, call.times)
        kept_since = datetime.now(UTC).timestamp() - call.kept_seconds
        return [
            _verdict(facts.get(at), call, remembered=remembered.get(at), is_kept=at >= kept_since) for at in call.times
        ]

    async def facts(
        self, schedule_id: str, times: Sequence[int], mark: BackfillMark | None, *, until: int | None = None
    ) -> dict[int, TickFacts]:
        """Return what visibility has of the ticks; those without a run are left out.

        Args:
            schedule_id: Of the schedule.
            times: Unix seconds, ascending.
            mark: Of the backfill that asks; None where it does not matter who started a run.
            until: The last tick whose run may stand for these; absent where each has its own.
        """
        found: dict[int, TickFacts] = defaultdict(TickFacts)
        last = times[-1] if until is None else until
        async for run in self.client.list_workflows(between(schedule_id, [times[0], last]), page_size=_PAGE):
            known = await self.mark_of(run)
            ours = mark is not None and known is not None and known.is_of(mark)
            for at in _stands_for(run, known, times):
                found[at].note(run.status, ours=ours)
        return dict(found)

    async def remembered(self, schedule_id: str, times: Sequence[int]) -> dict[int, bool]:
        """Return what the ledger has of the ticks."""
        if self.ledger is None or not times:
            return {}
        start, end = datetime.fromtimestamp(times[0], UTC), datetime.fromtimestamp(times[-1] + 1, UTC)
        ran = await self.ledger.ran(schedule_id, start, end)
        return {int(at.timestamp()): did for at, did in ran.items()}

    async def mark_of(self, run: WorkflowExecution) -> BackfillMark | None:
        """Return what the run's memo tells of a backfill; None for one that no backfill started."""
        payload = run.raw_info.memo.fields.get(BACKFILL_MEMO)
        if payload is None:
            return None
        key = payload.SerializeToString()
        if key not in self._marks:
            [self._marks[key]] = await self.client.data_converter.decode([payload], [BackfillMark])
        return self._marks[key]


def between(schedule_id: str, times: Sequence[int]) -> str:
    """Return the visibility query for the runs of ticks from the first to the last.

    Bounds lie a second outside, because SQLite's visibility compares text: a time is not ``<=`` itself there.
    """
    quoted = schedule_id.replace("\\", "\\\\").replace("'", "\\'")
    return (
        f"{SCHEDULED_BY} = '{quoted}' AND {SCHEDULED_AT} > '{moment(times[0] - 1)}' "
        f"AND {SCHEDULED_AT} < '{moment(times[-1] + 1)}'"
    )


def _verdict(facts: TickFacts | None, call: TicksCall, *, remembered: bool | None, is_kept: bool) -> Verdict:
    if facts is not None:
        return _of_runs(facts, call.policy)
    if call.policy == "all" or remembered is False:
        return Verdict.DUE
    if remembered:
        return Verdict.HAD_RUN
    return Verdict.DUE if is_kept or call.older == "run" else Verdict.UNKNOWN


def _of_runs(facts: TickFacts, policy: Policy) -> Verdict:
    if facts.ours:
        return Verdict.OURS
    if facts.running or policy == "missing":
        return Verdict.HAD_RUN
    return Verdict.HAD_RUN if policy == "missing_and_failed" and not facts.failed_only else Verdict.DUE


def _nominal(run: WorkflowExecution) -> int:
    text = json.loads(run.raw_info.search_attributes.indexed_fields[SCHEDULED_AT].data)
    return int(datetime.fromisoformat(text).timestamp())


def _stands_for(run: WorkflowExecution, mark: BackfillMark | None, times: Sequence[int]) -> Sequence[int]:
    """Return the ticks of which this is the run: its own, or all of the range that it collapsed."""
    if mark is None or mark.start_at is None or mark.end_at is None:
        return [_nominal(run)]
    first, end = mark.start_at.timestamp(), mark.end_at.timestamp()
    return times[bisect_left(times, first) : bisect_left(times, end)]
