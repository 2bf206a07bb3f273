"""What people and programs are shown of a backfill: before, meanwhile and afterwards."""

from typing import Annotated, Literal

from pydantic import Field

from trenova_schedules.backfill._contract import Evidence, Hole, Mode, Stage, Started, Verified
from trenova_schedules.backfill._limits import BackfillLimits
from trenova_schedules.backfill._request import Moment, Policy
from trenova_schedules.backfill._steering_contract import SteeringState
from trenova_schedules.backfill._wire import WireModel


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


Becomes = Literal["due", "had_run", "unknown"]
"""What becomes of a tick: it is run, it is left alone for a run that it has, or since nobody knows whether it ran."""


class BackfillPreview(WireModel):
    """What a backfill would do now.

    Attributes:
        schedule_id: Of the schedule.
        digest: Put it into the request to be sure of these very ticks.
        mode: Whether each tick is run, or one run stands for all.
        planned: Ticks in the range.
        times: Some of them, as many as were asked for.
        becomes: What becomes of each of these; with ``collapse`` one run stands for all that are due.
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
    becomes: list[Becomes] = Field(default_factory=list)
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
