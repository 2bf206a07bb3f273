"""What a backfill plans, carries and answers."""

import hashlib
from typing import Final, Literal

from pydantic import Field

from trenova_schedules.backfill._request import BackfillRequest, Moment
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
