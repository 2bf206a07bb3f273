"""What the activities of a backfill are told, and what they answer."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from trenova_schedules.backfill._contract import BackfillMark, Hole, OpenRun, Plan, Started, Verified
from trenova_schedules.backfill._request import BackfillRequest, Older, Policy
from trenova_schedules.backfill._wire import WireModel


class TicksCall(WireModel):
    """What an activity is told about some ticks.

    Attributes:
        schedule_id: Of the schedule.
        action: See :attr:`Plan.action`.
        policy: Of the request.
        older: Of the request.
        kept_seconds: See :attr:`Plan.kept_seconds`.
        mark: What runs of this backfill are known by.
        times: Unix seconds, ascending.
        rate_per_second: 0 for no limit.
        concurrency: 0 for no limit.
        open: Runs that are known to be open.
        last_start: When the call before started its last run, unix seconds.
        until: The last tick whose run may stand for these; absent where each tick has its own.
    """

    schedule_id: str
    action: str
    policy: Policy
    older: Older
    kept_seconds: int
    mark: BackfillMark
    times: list[int]
    rate_per_second: float = 0.0
    concurrency: int = 0
    open: list[OpenRun] = Field(default_factory=list)
    last_start: float | None = None
    until: int | None = None

    @classmethod
    def of(cls, request: BackfillRequest, plan: Plan, mark: BackfillMark, times: Sequence[int]) -> Self:
        """Return what an activity is told about some ticks of a plan."""
        return cls(
            schedule_id=request.schedule_id,
            action=plan.action,
            policy=request.policy,
            older=request.older,
            kept_seconds=plan.kept_seconds,
            mark=mark,
            times=list(times),
            until=plan.last if plan.mode == "collapse" else None,
        )


class TicksStarted(WireModel):
    """What a call did: the first ``started.processed`` of its ticks are settled.

    Attributes:
        started: Numbers.
        refused: Why the server starts no more; empty if it does.
        open: Runs that were open at the end.
        last_start: When its last run was started, unix seconds.
        first_due: The first tick that is due, of a look.
        last_due: The last one.
    """

    started: Started
    refused: str = ""
    open: list[OpenRun] = Field(default_factory=list)
    last_start: float | None = None
    first_due: int | None = None
    last_due: int | None = None


class TicksVerified(WireModel):
    """What a verification found.

    Attributes:
        verified: Numbers.
        holes: Every one.
    """

    verified: Verified
    holes: list[Hole] = Field(default_factory=list)


class EndCall(WireModel):
    """How a backfill is to end early.

    Attributes:
        call: Its ticks are the first and the last one that may have been started.
        cancel_runs: Whether runs that it started and that have not ended are canceled.
    """

    call: TicksCall
    cancel_runs: bool
