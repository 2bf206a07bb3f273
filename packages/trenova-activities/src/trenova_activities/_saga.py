"""A saga: steps that are undone in reverse order where a later one fails; deterministic code only."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from temporalio import workflow
from temporalio.exceptions import CancelledError, FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._labels import brief
    from trenova_activities._saga_contract import (
        Compensation,
        NotUndone,
        Outcome,
        SagaEntry,
        SagaState,
        StepOutcome,
    )
    from trenova_activities._saga_failures import code_of, is_certain, not_undone_error
    from trenova_activities._wording import what_failed

_Result = TypeVar("_Result")


class Saga:
    """Remembers how each step is undone, and undoes the steps where the work does not come to its end.

    Within a workflow::

        async with Saga() as saga:
            async with saga.step("book", Compensation(activity="UnbookActivity", argument=as_argument(booking))):
                await workflow.execute_activity("BookActivity", booking, activity_id="book", **TRANSACTION)
            async with saga.step("pay", ...):
                ...

    Where a failure or a cancellation leaves the outer block, what was done is undone in reverse order and the failure
    goes on; a cancellation does not reach the compensations. Where something could not be undone, one
    :class:`NotUndoneError` goes on instead, caused by the failure. A bug (what fails the workflow task) and a
    continue-as-new undo nothing.

    Args:
        state: The state that the run before this one carried over.
    """

    def __init__(self, state: SagaState | None = None) -> None:
        self._entries: list[SagaEntry] = list((state or SagaState()).entries)
        self._running: set[str] = set()
        self._undone: list[str] = []
        self._left: list[NotUndone] = []

    @property
    def state(self) -> SagaState:
        """What to carry through continue-as-new; a step that is under way counts as one of unknown outcome."""
        return SagaState(entries=list(self._entries))

    @property
    def undone(self) -> Sequence[str]:
        """Names of the steps that have been undone, in that order."""
        return tuple(self._undone)

    @property
    def left(self) -> Sequence[NotUndone]:
        """The steps that could not be undone."""
        return tuple(self._left)

    @asynccontextmanager
    async def step(self, name: str, undo: Compensation) -> AsyncIterator[None]:
        """Run one step; it is known to the saga from its beginning on.

        A cancellation of the workflow that came while the step ran, but too late for it, ends the step afterwards.

        Args:
            name: Unique in the saga; activity ids are made of it.
            undo: How the step is undone.

        Raises:
            ValueError: There is a step of this name.
            CancelledError: The step is done, and the workflow was canceled meanwhile.
        """
        if any(entry.step == name for entry in self._entries):
            raise ValueError(f"The saga has a step {name!r} already. Give each step a name of its own.")
        canceled_before = workflow.cancellation_reason() is not None
        self._entries.append(SagaEntry(step=name, outcome="begun", undo=undo))
        self._running.add(name)
        try:
            yield
        except (FailureError, asyncio.CancelledError) as error:
            self._ended(name, None if is_certain(error) else "unknown")
            raise
        finally:
            self._running.discard(name)
        self._ended(name, "done")
        if workflow.cancellation_reason() is not None and not canceled_before:
            raise CancelledError(f"The workflow was canceled while the step {name!r} ran.")

    def _ended(self, name: str, outcome: Outcome | None) -> None:
        """Set the outcome of a step, or forget one that certainly did nothing."""
        self._entries = [
            entry if entry.step != name else entry.model_copy(update={"outcome": outcome})
            for entry in self._entries
            if entry.step != name or outcome is not None
        ]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not _ends_the_run(error):
            return
        await self.compensate()
        if self._left:
            raise not_undone_error(self._left, error) from error

    async def compensate(self) -> Sequence[NotUndone]:
        """Undo every step, the last one first; a cancellation waits until that is done.

        Steps that still run beside the one that failed are waited for, so it must not be called within a step.

        Returns:
            What could not be undone; the other steps are undone all the same.
        """
        await shielded(self._compensate())
        return self.left

    async def _compensate(self) -> None:
        await workflow.wait_condition(lambda: not self._running)
        while self._entries:
            batch = self._last_batch()
            failures = await asyncio.gather(*(self._undo(entry) for entry in reversed(batch)))
            self._left += [failure for failure in failures if failure is not None]
            del self._entries[-len(batch) :]

    def _last_batch(self) -> list[SagaEntry]:
        """Return the last step, with those before it that are undone at the same time."""
        together = self._entries[-1].undo.together
        size = 1
        while together and size < len(self._entries) and self._entries[-size - 1].undo.together == together:
            size += 1
        return self._entries[-size:]

    async def _undo(self, entry: SagaEntry) -> NotUndone | None:
        try:
            if await self._took_effect(entry):
                await workflow.execute_activity(
                    entry.undo.activity,
                    entry.undo.argument,
                    activity_id=f"{entry.step}-undo",
                    summary=brief(f"Undo the step {entry.step}, because a later one failed or the run was canceled"),
                    task_queue=entry.undo.task_queue,
                    **entry.undo.policy.options(),
                )
                self._undone.append(entry.step)
        except FailureError as error:
            return NotUndone(step=entry.step, code=code_of(error), said=what_failed(error))
        return None

    async def _took_effect(self, entry: SagaEntry) -> bool:
        undo = entry.undo
        if entry.outcome == "done" or undo.verify is None:
            return True
        outcome: StepOutcome = await workflow.execute_activity(
            undo.verify,
            undo.verify_argument or undo.argument,
            result_type=StepOutcome,
            activity_id=f"{entry.step}-verify",
            summary=brief(f"Find out whether the step {entry.step} took effect"),
            task_queue=undo.task_queue,
            **undo.verify_policy.options(),
        )
        return outcome.done


def _ends_the_run(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError) or (
        isinstance(error, Exception) and workflow.is_failure_exception(error)
    )


async def shielded(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Wait for the work to its end; a cancellation of whoever waits does not reach it."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue  # an eviction cancels the work itself too, which ends the loop
    return task.result()
