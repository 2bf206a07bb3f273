"""How far a backfill is, in numbers and in words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from trenova_schedules.backfill._contract import MOST_HOLES, Plan, Stage, Stand
from trenova_schedules.backfill._outcome_contract import BackfillProgress, BackfillResult
from trenova_schedules.backfill._request import BackfillRequest
from trenova_schedules.backfill._steering import Steering

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True)
class BackfillReport:
    """What is known between two calls, or while one is under way.

    Attributes:
        request: What was asked.
        steering: What the backfill was told.
        stand: How far it was after its last call.
        stage: What it is at.
        working: A call is under way.
        next_at: The next tick, unix seconds.
    """

    request: BackfillRequest
    steering: Steering
    stand: Stand
    stage: Stage
    working: bool
    next_at: int | None

    @property
    def phase(self) -> Literal["running", "pausing", "paused", "canceling", "ended"]:
        """What it does at the moment."""
        if self.stage == "ended":
            return "ended"
        if self.steering.canceled is not None:
            return "canceling"
        if self.steering.paused is not None:
            return "pausing" if self.working else "paused"
        return "running"

    @property
    def rate(self) -> float | None:
        """Ticks per second, by the time that calls took."""
        stand = self.stand
        return round(stand.started.processed / stand.worked_seconds, 2) if stand.worked_seconds >= 1 else None

    @property
    def eta_seconds(self) -> int | None:
        """Seconds until every tick is started, at this rate."""
        plan, rate = self.stand.plan, self.rate
        if plan is None or not rate or self.stage != "starting":
            return None
        return round((plan.ticks.count - self.stand.started.processed) / rate)

    @property
    def fraction(self) -> float:
        """How much of the stage under way is done."""
        plan = self.stand.plan
        if self.stage == "ended":
            return 1.0
        if plan is None or not plan.ticks.count:
            return 0.0
        done = self.stand.started.processed if self.stage == "starting" else self.stand.verified.looked_at
        return min(1.0, done / plan.ticks.count)

    def answer(self) -> BackfillProgress:
        """Return what the query answers."""
        plan, state = self.stand.plan, self.steering.state
        return BackfillProgress(
            schedule_id=self.request.schedule_id,
            phase=self.phase,
            stage=self.stage,
            words=self.words,
            planned=None if plan is None else plan.ticks.count,
            started=self.stand.started,
            verified=self.stand.verified,
            at=None if self.next_at is None else datetime.fromtimestamp(self.next_at, UTC),
            fraction=self.fraction,
            ticks_per_second=self.rate,
            eta_seconds=self.eta_seconds,
            open=len(self.stand.open),
            limits=state.limits,
            steering=state,
            calls=self.stand.calls,
        )

    @property
    def words(self) -> str:
        """All of it in a line, as the Temporal UI shows it too."""
        said = [self._doing, *self._numbers()]
        if self.steering.limits is not None:
            said.append(f"limits: {self.steering.limits.words}")
        return ". ".join(one[0].upper() + one[1:] for one in said if one) + "."

    @property
    def _doing(self) -> str:
        held = self.steering.canceled or self.steering.paused
        if held is None or self.stage == "ended":
            return self.stage
        then = ", after the call under way" if self.working else ""
        what = "canceled" if self.steering.canceled is not None else "paused"
        return f"{what} by {held.by.words}{then}: {held.reason.rstrip('.')}"

    def _numbers(self) -> list[str]:
        stand = self.stand
        if stand.plan is None:
            return []
        did = stand.started
        said = [
            f"{did.processed:,} of {stand.plan.ticks.count:,} ticks: {did.started:,} started, {did.had_run:,} had a run"
        ]
        if did.unknown:
            said.append(f"{did.unknown:,} left alone, since nobody knows whether they ran")
        if stand.refused:
            said.append(f"the server starts no more: {stand.refused.rstrip('.')}")
        if self.eta_seconds is not None and self.steering.canceled is None:
            said.append(f"{self.rate:,.1f} ticks per second, {_length(self.eta_seconds)} left")
        return said


def result_of(request: BackfillRequest, stand: Stand, plan: Plan) -> BackfillResult:
    """Return what came of the backfill, once everything is verified."""
    done = stand.verified.holes == 0
    return BackfillResult(
        schedule_id=request.schedule_id,
        start_at=request.start_at,
        end_at=request.end_at,
        policy=request.policy,
        mode=plan.mode,
        digest=plan.digest,
        planned=plan.ticks.count,
        started=stand.started,
        verified=stand.verified,
        holes=stand.holes,
        holes_truncated=stand.verified.holes > MOST_HOLES,
        evidence=plan.evidence,
        refused=stand.refused,
        done=done,
        result=_sentence(stand, plan),
    )


def _sentence(stand: Stand, plan: Plan) -> str:
    did, found = stand.started, stand.verified
    said = f"Of {plan.ticks.count:,} ticks, {did.had_run:,} had a run and {did.started:,} were started"
    if plan.mode == "collapse":
        said = f"Of {plan.ticks.count:,} ticks, {did.had_run:,} had a run; one run stands for the {did.due:,} others"
        said = said if did.due else f"Of {plan.ticks.count:,} ticks, all that count had a run"
    holes = f"{found.holes:,} have none" if found.holes else "none is without a run"
    failed = f", {found.failed:,} have failed" if found.failed else ""
    running = f", {found.running:,} are under way" if found.running else ""
    why = f" The server starts no more: {stand.refused}" if stand.refused else ""
    return f"{said}; by {plan.evidence}, {holes}{failed}{running}.{why}"


def _length(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} seconds"
    return f"{seconds // _MINUTE} minutes" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} hours"
