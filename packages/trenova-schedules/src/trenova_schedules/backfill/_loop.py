"""The way of a backfill: plan, start, verify, and obey in between; deterministic code only."""

import contextlib
from typing import Any, Final, NoReturn, TypeVar

from temporalio import workflow
from temporalio.exceptions import CancelledError

with workflow.unsafe.imports_passed_through():
    from trenova_errors import NonRetryableError
    from trenova_schedules.backfill._call_contract import EndCall, TicksCall, TicksStarted, TicksVerified
    from trenova_schedules.backfill._continuation import (
        Continuation,
        ContinuationBudget,
        continuation_due,
        continue_as_new,
    )
    from trenova_schedules.backfill._contract import (
        MOST_HOLES,
        BackfillInput,
        BackfillMark,
        Plan,
        Stage,
        Stand,
        Started,
        Verified,
    )
    from trenova_schedules.backfill._names import (
        CANCELED_MEMO,
        END_BACKFILL_ACTIVITY,
        LOOK_AT_TICKS_ACTIVITY,
        PLAN_BACKFILL_ACTIVITY,
        START_TICKS_ACTIVITY,
        VERIFY_TICKS_ACTIVITY,
    )
    from trenova_schedules.backfill._outcome_contract import BackfillProgress, BackfillResult
    from trenova_schedules.backfill._report import BackfillReport, result_of
    from trenova_schedules.backfill._steering import Steering
    from trenova_schedules.backfill._steering_contract import Standstill
    from trenova_schedules.backfill._timeouts import CALL, LAST_WORDS, LAST_WORDS_WAIT

_SMALLEST_PAGE: Final = 20
_LARGEST_PAGE: Final = 1_000

Answer = TypeVar("Answer")


class BackfillLoop:
    """One backfill, and what it has been told.

    Made by ``@workflow.init``, so that a message that comes before the first line of the workflow finds it.

    Args:
        asked: The request, with what the run before this one carried over.
    """

    def __init__(self, asked: BackfillInput) -> None:
        self.steering = Steering(asked.steering)
        self._request = asked.request
        info = workflow.info()
        self._stand = asked.stand or Stand(first_run_id=info.first_execution_run_id, began_at=_now())
        self._mark = BackfillMark(backfill=info.workflow_id, run_id=self._stand.first_run_id or info.run_id)
        self._first_call = self._stand.calls
        self._working = self._ended = False
        self._times: list[int] = []
        self._budget = ContinuationBudget.of_run()

    async def run(self) -> BackfillResult:
        """Work until every tick is settled and verified; continues as new when its history has become long."""
        plan = await self._plan()
        while not self._is_started:
            await self._between_calls()
            await self._start(plan)
        while self._stand.verified.looked_at < plan.ticks.count:
            await self._between_calls()
            await self._verify(plan)
        self._ended = True
        self.steered()
        return result_of(self._request, self._stand, plan)

    def steered(self) -> None:
        """Show a change where the Temporal UI looks."""
        workflow.set_current_details(self._report.words)

    def report(self) -> BackfillProgress:
        """Say how far the backfill is."""
        return self._report.answer()

    @property
    def _report(self) -> BackfillReport:
        place = self._stand.started.processed
        return BackfillReport(
            request=self._request,
            steering=self.steering,
            stand=self._stand,
            stage=self._stage,
            working=self._working,
            next_at=self._times[place] if place < len(self._times) else None,
        )

    @property
    def _stage(self) -> Stage:
        if self._ended:
            return "ended"
        if self._stand.plan is None:
            return "planning"
        return "verifying" if self._is_started else "starting"

    @property
    def _is_started(self) -> bool:
        plan, stand = self._stand.plan, self._stand
        if plan is None or (stand.started.processed < plan.ticks.count and not stand.refused):
            return False
        waits = plan.mode == "collapse" and stand.last_due is not None and not stand.settled
        return not waits or bool(stand.refused)

    async def _plan(self) -> Plan:
        plan = self._stand.plan
        if plan is None:
            await self._between_calls()
            asked = BackfillInput(request=self._request)
            plan = await self._call(PLAN_BACKFILL_ACTIVITY, asked, Plan, "plan", "Count the ticks of the range")
            self._change(plan=plan)
        self._times = plan.ticks.times()
        self.steered()
        return plan

    async def _start(self, plan: Plan) -> None:
        """Settle the next ticks; where one run stands for all, look at all of them first."""
        if plan.mode == "each":
            await self._start_each(plan)
        elif self._stand.started.processed < plan.ticks.count:
            await self._look(plan)
        else:
            await self._start_one(plan)

    async def _start_each(self, plan: Plan) -> None:
        place, limits = self._stand.started.processed, self.steering.limits
        call = TicksCall.of(self._request, plan, self._mark, self._times[place : place + self._stand.page])
        rate, most = self._request.rate_per_second, plan.concurrency
        if limits is not None:
            rate = limits.rate_per_second or rate
            most = limits.concurrency or most
        call = call.model_copy(
            update={
                "rate_per_second": rate,
                "concurrency": most,
                "open": self._stand.open,
                "last_start": self._stand.last_start,
            }
        )
        began = workflow.time()
        did = await self._call(START_TICKS_ACTIVITY, call, TicksStarted, "start", f"Start from tick {place + 1:,} on")
        self._change(
            started=self._stand.started.plus(did.started),
            refused=did.refused,
            open=did.open,
            last_start=did.last_start,
            worked_seconds=self._stand.worked_seconds + workflow.time() - began,
            page=max(_SMALLEST_PAGE, min(_LARGEST_PAGE, 2 * did.started.processed)),
        )

    async def _look(self, plan: Plan) -> None:
        place = self._stand.started.processed
        call = TicksCall.of(self._request, plan, self._mark, self._times[place : place + _LARGEST_PAGE])
        found = await self._call(LOOK_AT_TICKS_ACTIVITY, call, TicksStarted, "look", f"Look from tick {place + 1:,} on")
        first, last = self._stand.first_due, self._stand.last_due
        self._change(
            started=self._stand.started.plus(found.started),
            first_due=found.first_due if first is None else first,
            last_due=last if found.last_due is None else found.last_due,
        )

    async def _start_one(self, plan: Plan) -> None:
        """Start the one run that stands for all, as the run of the last tick that is due."""
        mark = self._mark.model_copy(
            update={
                "start_at": self._request.start_at,
                "end_at": self._request.end_at,
                "ticks": self._stand.started.due,
            }
        )
        call = TicksCall.of(self._request, plan, mark, [self._stand.last_due or 0])
        did = await self._call(START_TICKS_ACTIVITY, call, TicksStarted, "start", "Start one run for the whole range")
        done = Started(started=did.started.started)
        settled = bool(did.started.processed)
        self._change(started=self._stand.started.plus(done), refused=did.refused, settled=settled)

    async def _verify(self, plan: Plan) -> None:
        place, last = self._stand.verified.looked_at, self._stand.last_due
        collapsed = plan.mode == "collapse" and not self._stand.refused
        if collapsed:
            times = [] if last is None else [last]
            alone = self._stand.started.had_run + self._stand.started.unknown
            others = Verified(
                looked_at=plan.ticks.count - len(times),
                collapsed=plan.ticks.count - len(times) - alone,
                older=alone,
            )
        else:
            times, others = self._times[place : place + _LARGEST_PAGE], Verified()
        found = TicksVerified(verified=Verified())
        if times:
            call = TicksCall.of(self._request, plan, self._mark, times)
            summary = f"Verify from tick {place + 1:,} on"
            found = await self._call(VERIFY_TICKS_ACTIVITY, call, TicksVerified, "verify", summary)
        self._change(
            verified=self._stand.verified.plus(found.verified).plus(others),
            holes=[*self._stand.holes, *found.holes][:MOST_HOLES],
        )

    async def _between_calls(self) -> None:
        """Hold while paused, end where that was asked, and go on under a fresh history where that is due."""
        while True:
            await workflow.wait_condition(lambda: self.steering.paused is None or self._due() is not None)
            if (canceled := self.steering.canceled) is not None:
                await self._cancel(canceled)
            if workflow.cancellation_reason() is not None:
                raise CancelledError("The backfill was canceled between two calls.")
            if (due := self._due()) is not None:
                await continue_as_new(self._carried, due)
            if self.steering.paused is None:
                return

    def _due(self) -> Continuation | None:
        """Say why to continue as new; never before this run has done something, or it would continue for ever."""
        if self._stand.calls == self._first_call and not self.steering.handled:
            return None
        return continuation_due(self._budget)

    def _carried(self) -> BackfillInput:
        return BackfillInput(request=self._request, stand=self._stand, steering=self.steering.state)

    async def _call(self, name: str, asked: Any, answer: type[Answer], kind: str, summary: str) -> Answer:
        self._change(calls=self._stand.calls + 1)
        self._working = True
        try:
            found: Answer = await workflow.execute_activity(
                name, asked, result_type=answer, activity_id=f"{kind}-{self._stand.calls}", summary=summary, **CALL
            )
        finally:
            self._working = False
        return found

    def _change(self, **changes: Any) -> None:
        self._stand = self._stand.model_copy(update=changes)
        self.steered()

    async def _cancel(self, canceled: Standstill) -> NoReturn:
        """End as canceled, with the reason where it is read: in the memo.

        A run that asks the server to cancel itself is refused, so an activity asks.
        """
        words = f"{canceled.by.words}: {canceled.reason}"
        workflow.upsert_memo({CANCELED_MEMO: words})
        self.steered()
        plan, place = self._stand.plan, self._stand.started.processed
        touched = self._times[:place]
        times = [touched[0], touched[-1]] if touched else []
        call = TicksCall(
            schedule_id=self._request.schedule_id,
            action="" if plan is None else plan.action,
            policy=self._request.policy,
            older=self._request.older,
            kept_seconds=0 if plan is None else plan.kept_seconds,
            mark=self._mark,
            times=times,
        )
        await workflow.execute_activity(
            END_BACKFILL_ACTIVITY,
            EndCall(call=call, cancel_runs=self.steering.cancel_runs),
            result_type=int,
            activity_id="end",
            summary="End the backfill as canceled, as it was told",
            **LAST_WORDS,
        )
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: workflow.cancellation_reason() is not None, timeout=LAST_WORDS_WAIT)
        raise NonRetryableError(f"Canceled by {words}. Runs that were started stand.")


def _now() -> int:
    return int(workflow.now().timestamp())
