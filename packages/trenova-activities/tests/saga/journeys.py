"""A workflow that books the parts of a journey, to try sagas on: what it does is told by its input."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from pydantic import Field
from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from trenova_activities import Compensation, CompensationConflictError, Saga, SagaState
    from trenova_activities._wire import WireModel
    from trenova_errors import (
        ActivityPolicy,
        AmbiguousOutcomeError,
        ConflictError,
        NonRetryableError,
        UnavailableError,
    )

_SHORT = ActivityPolicy(
    start_to_close=timedelta(seconds=20), schedule_to_close=timedelta(seconds=30), heartbeat=timedelta(seconds=2)
)
_ONCE = ActivityPolicy(
    start_to_close=timedelta(seconds=20),
    schedule_to_close=timedelta(seconds=30),
    heartbeat=timedelta(seconds=1),
    maximum_attempts=1,
)
WAITS = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


class Plan(WireModel):
    """What becomes of each part: ``<part>`` of a step, ``undo <part>`` of a compensation, ``verify <part>``."""

    key: str
    parts: list[str]
    fails: dict[str, str] = Field(default_factory=dict)
    together: list[str] = Field(default_factory=list)
    continues_after: str = ""
    side_by_side: bool = False
    undo_attempts: int = 0
    verified: bool = True
    state: SagaState = SagaState()


class Call(WireModel):
    key: str
    part: str
    how: str = ""


@workflow.defn
class Journey:
    def __init__(self) -> None:
        self.left: list[dict[str, Any]] = []

    @workflow.run
    async def run(self, plan: Plan) -> list[str]:
        saga = Saga(plan.state)
        parts = list(plan.parts)
        try:
            async with saga:
                if plan.side_by_side:
                    await asyncio.gather(*(self.book(saga, plan, part) for part in parts))
                    return []
                while parts:
                    part = parts.pop(0)
                    await self.book(saga, plan, part)
                    if part == plan.continues_after:
                        rest = {"parts": parts, "continues_after": "", "state": saga.state}
                        workflow.continue_as_new(plan.model_copy(update=rest))
        finally:
            self.left = [one.model_dump() for one in saga.left]
        return list(saga.undone)

    async def book(self, saga: Saga, plan: Plan, part: str) -> None:
        async with saga.step(part, _undo(plan, part)):
            await workflow.execute_activity(
                "book", _call(plan, part), activity_id=part, cancellation_type=WAITS, **_ONCE.options()
            )

    @workflow.query
    def not_undone(self) -> list[dict[str, Any]]:
        return self.left


def _call(plan: Plan, part: str) -> Call:
    return Call(key=plan.key, part=part, how=plan.fails.get(part, ""))


def _undo(plan: Plan, part: str) -> Compensation:
    policy = ActivityPolicy(
        start_to_close=_SHORT.start_to_close,
        schedule_to_close=_SHORT.schedule_to_close,
        heartbeat=_SHORT.heartbeat,
        maximum_attempts=plan.undo_attempts,
    )
    return Compensation(
        activity="unbook",
        argument=_call(plan, f"undo {part}").model_dump(),
        verify="verify" if plan.verified else None,
        verify_argument=_call(plan, f"verify {part}").model_dump(),
        together="both" if part in plan.together else "",
        policy=policy,
        verify_policy=_SHORT,
    )


async def _until_canceled() -> None:
    """Go on although the work was canceled, as a commit does that is under way."""
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.timeout(30):
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.1)


class Bookings:
    """What was asked of the activities, by the key of the journey, and what is booked."""

    def __init__(self) -> None:
        self.asked: dict[str, list[str]] = {}
        self.booked: dict[str, list[str]] = {}
        self.started: dict[tuple[str, str], asyncio.Event] = {}
        self.release: dict[tuple[str, str], asyncio.Event] = {}
        self.meeting = asyncio.Barrier(2)
        self.ids: dict[str, set[str]] = {}

    def seen(self, key: str, part: str) -> asyncio.Event:
        return self.started.setdefault((key, part), asyncio.Event())

    def gate(self, key: str, part: str) -> asyncio.Event:
        return self.release.setdefault((key, part), asyncio.Event())

    async def _note(self, call: Call) -> str:
        self.asked.setdefault(call.key, []).append(call.part)
        self.ids.setdefault(call.key, set()).add(activity.info().activity_id)
        self.seen(call.key, call.part).set()
        how, _, times = call.how.partition(" x")
        if times and activity.info().attempt > int(times):
            return ""
        if how == "held":
            gate = self.gate(call.key, call.part)
            while not gate.is_set():
                activity.heartbeat()
                await asyncio.sleep(0.1)
        if how == "stubborn":
            await _until_canceled()
        if how == "meets":
            async with asyncio.timeout(10):
                await self.meeting.wait()
        return how

    @activity.defn(name="book")
    async def book(self, call: Call) -> None:
        how = await self._note(call)
        booked = self.booked.setdefault(call.key, [])
        if how == "refused":
            raise ConflictError(f"No {call.part} is free.")
        if how == "unavailable":
            raise UnavailableError("The office is closed.")
        if how == "ambiguous":
            raise AmbiguousOutcomeError("Nobody knows.")
        booked.append(call.part)
        if how == "ambiguous done":
            raise AmbiguousOutcomeError("Nobody knows.")
        if how == "silent done":
            await asyncio.Event().wait()  # falls silent, as a worker that died after its commit

    @activity.defn(name="unbook")
    async def unbook(self, call: Call) -> None:
        how = await self._note(call)
        part = call.part.removeprefix("undo ")
        if how == "conflict":
            raise CompensationConflictError(f"The {part} was changed by somebody.")
        if how == "broken":
            raise NonRetryableError(f"The {part} cannot be given back.")
        if how == "unavailable":
            raise UnavailableError("The office is closed.")
        if part in self.booked[call.key]:
            self.booked[call.key].remove(part)
        if how == "silent":
            await asyncio.Event().wait()

    @activity.defn(name="verify")
    async def verify(self, call: Call) -> dict[str, bool]:
        how = await self._note(call)
        if how == "broken":
            raise NonRetryableError("Nobody can say.")
        return {"done": call.part.removeprefix("verify ") in self.booked.get(call.key, [])}
