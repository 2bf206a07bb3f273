"""What a backfill plans, carries and answers."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from trenova_schedules.backfill._limits import BackfillLimits
from trenova_schedules.backfill._request import BackfillRequest, Moment, Older, Policy
from trenova_schedules.backfill._steering_contract import SteeringState
from trenova_schedules.backfill._ticks import TickSet
from trenova_schedules.backfill._wire import WireModel

MOST_HOLES: Final = 100
"""Holes that a result names; it counts them all."""

Mode = Literal["each", "collapse"]
Stage = Literal["planning", "starting", "verifying", "ended"]
Evidence = Literal["visibility", "visibility and ledger"]


class BackfillMark(WireModel):
    """What the memo of a run tells of the backfill that started it.

    Attributes:
        backfill: Workflow id.
        run_id: First run of its chain: the same key may be used again after years.
        start_at: Beginning of the range that the run stands for; absent where it stands for its own tick.
        end_at: End of that range, exclusive.
        ticks: How many ticks it stands for.
    """

    backfill: str
    run_id: str
    start_at: Moment | None = None
    end_at: Moment | None = None
    ticks: int = 1

    def is_of(self, other: "BackfillMark") -> bool:
        """Say whether both are of one backfill."""
        return (self.backfill, self.run_id) == (other.backfill, other.run_id)


class OpenRun(WireModel):
    """A run that had not ended when it was looked at."""

    workflow_id: str
    run_id: str


class Plan(WireModel):
    """What a backfill does, fixed at its beginning: later changes of the schedule do not matter to it.

    Attributes:
        ticks: Nominal times in the range, by the server.
        mode: ``each`` tick by itself, or ``collapse``: one run for all that are due.
        action: The schedule's action as it was, an encoded ``NewWorkflowExecutionInfo``; its payloads stay encrypted.
        concurrency: Runs that may be open at once; 0 for any number.
        kept_seconds: How long the namespace keeps runs that have ended.
        evidence: What says whether a tick has run.
        last: The last tick, unix seconds; absent where there is none.
    """

    ticks: TickSet
    mode: Mode
    action: str
    concurrency: int
    kept_seconds: int
    evidence: Evidence
    last: int | None = None

    @property
    def digest(self) -> str:
        """The same for plans that run the same ticks in the same way."""
        return hashlib.sha256(f"{self.mode} {self.ticks.digest}".encode()).hexdigest()


class Hole(WireModel):
    """A tick in the range that has no run.

    Attributes:
        at: Its nominal time.
        why: ``skipped``: nobody knows whether it ran, and the request says to leave such alone; ``not_started``
            otherwise.
    """

    at: Moment
    why: Literal["not_started", "skipped"] = "not_started"


class Started(WireModel):
    """What came of the ticks so far.

    Attributes:
        processed: Ticks that were looked at.
        due: Those that the policy wants to run; without ``collapse`` each was started.
        started: Runs that the backfill started.
        had_run: Ticks left alone because of a run that they have.
        unknown: Ticks left alone because nobody knows whether they ran.
    """

    processed: int = 0
    due: int = 0
    started: int = 0
    had_run: int = 0
    unknown: int = 0

    def plus(self, other: "Started") -> "Started":
        """Return the sums."""
        return Started(**{name: getattr(self, name) + getattr(other, name) for name in Started.model_fields})


class Verified(WireModel):
    """What the ticks have, looked at once more after the last start.

    Attributes:
        looked_at: Ticks.
        completed: Ticks with a run that completed.
        running: Ticks whose run is under way.
        failed: Ticks with runs of which none completed or is under way.
        collapsed: Ticks for which another tick's run stands.
        older: Ticks that ran by the ledger, or that are older than runs are kept.
        holes: Ticks without a run.
    """

    looked_at: int = 0
    completed: int = 0
    running: int = 0
    failed: int = 0
    collapsed: int = 0
    older: int = 0
    holes: int = 0

    def plus(self, other: "Verified") -> "Verified":
        """Return the sums."""
        return Verified(**{name: getattr(self, name) + getattr(other, name) for name in Verified.model_fields})


class Stand(WireModel):
    """How far a backfill is; carried through continue-as-new.

    Attributes:
        first_run_id: Of the chain; absent at its beginning.
        began_at: Unix seconds, by the workflow's clock.
        plan: Absent until there is one.
        started: What came of the ticks so far; its ``processed`` is the place of the next tick.
        last_due: The last tick that is due, where one run stands for all.
        first_due: The first of them.
        settled: The one run that stands for all was started, or was there.
        verified: What the verification found so far.
        holes: The first 100.
        refused: Why the server starts no more; empty as long as it does.
        open: Runs that the last call left open.
        last_start: When the last run was started, unix seconds.
        calls: Calls of activities so far.
        worked_seconds: What the starting calls took.
        page: Ticks that the next call is given.
    """

    first_run_id: str | None = None
    began_at: int | None = None
    plan: Plan | None = None
    started: Started = Started()
    last_due: int | None = None
    first_due: int | None = None
    settled: bool = False
    verified: Verified = Verified()
    holes: list[Hole] = Field(default_factory=list)
    refused: str = ""
    open: list[OpenRun] = Field(default_factory=list)
    last_start: float | None = None
    calls: int = 0
    worked_seconds: float = 0.0
    page: int = 1_000


class BackfillInput(WireModel):
    """The argument of the workflow.

    Attributes:
        request: What is asked.
        stand: Set by the workflow itself, never by callers.
        steering: Likewise.
    """

    request: BackfillRequest
    stand: Stand | None = None
    steering: SteeringState | None = None


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


class BackfillResult(WireModel):
    """What came of a backfill.

    Attributes:
        schedule_id: Of the schedule.
        start_at: Of the request.
        end_at: Of the request.
        policy: Of the request.
        mode: Whether each tick was run, or one run stands for all.
        digest: Of the plan.
        planned: Ticks in the range.
        started: What was done.
        verified: What was found afterwards.
        holes: Ticks without a run, the first 100.
        holes_truncated: There are more, as :attr:`verified` counts.
        evidence: What the verification looked at.
        refused: Why the server started no more; empty if it did.
        done: No hole is left.
        result: All of it in a sentence or two.
    """

    schedule_id: str
    start_at: Moment
    end_at: Moment
    policy: Policy
    mode: Mode
    digest: str
    planned: int
    started: Started
    verified: Verified
    holes: list[Hole] = Field(default_factory=list)
    holes_truncated: bool = False
    evidence: Evidence
    refused: str = ""
    done: bool
    result: str


class BackfillPreview(WireModel):
    """What a backfill would do now.

    Attributes:
        schedule_id: Of the schedule.
        digest: Put it into the request to be sure of these very ticks.
        mode: Whether each tick is run, or one run stands for all.
        planned: Ticks in the range.
        times: The first of them, as many as were asked for.
        judged: What would become of each; without ``collapse`` every due tick is started.
        concurrency: Runs that may be open at once; 0 for any number.
        evidence: What says whether a tick has run.
        seconds: How long the starts take at least, at the rate of the request.
    """

    schedule_id: str
    digest: str
    mode: Mode
    planned: int
    times: list[Moment]
    judged: Started
    concurrency: int
    evidence: Evidence
    seconds: int


class BackfillProgress(WireModel):
    """How far a backfill is: as of its last finished call, which is at most some ten seconds old.

    Attributes:
        schedule_id: Of the schedule.
        phase: ``running``; ``pausing`` and ``canceling`` until the call under way is done; ``paused``; ``ended``.
        stage: What it is at.
        words: All of it in a line.
        planned: Ticks in the range; absent while nobody has counted them.
        started: What came of them so far.
        verified: What the verification found so far.
        at: The next tick.
        fraction: Of the stage under way, 0 to 1.
        ticks_per_second: Ticks by the time that calls took, pauses left out; absent before the first call.
        eta_seconds: Until every tick is started, at this rate.
        open: Runs that the last call left open, where concurrency is limited.
        limits: What somebody set while it ran; absent where nobody did.
        steering: What it was told.
        calls: Calls of activities so far.
    """

    schedule_id: str
    phase: Literal["running", "pausing", "paused", "canceling", "ended"]
    stage: Stage
    words: str
    planned: int | None = None
    started: Started = Started()
    verified: Verified = Verified()
    at: Moment | None = None
    fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    ticks_per_second: float | None = None
    eta_seconds: int | None = None
    open: int = 0
    limits: BackfillLimits | None = None
    steering: SteeringState = SteeringState()
    calls: int = 0
