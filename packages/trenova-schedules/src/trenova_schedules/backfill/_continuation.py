"""Continue-as-new: whether a run should go on under a fresh history now, why, and how no message is lost by it.

A workflow that loops asks :func:`continuation_due` between two rounds and hands over with :func:`continue_as_new`::

    @workflow.defn
    class Sweep:
        @workflow.init
        def __init__(self, state: SweepState) -> None:
            self._state = state

        @workflow.run
        async def run(self, state: SweepState) -> None:
            rounds = 0
            while not self._state.done:
                if rounds and (due := continuation_due()) is not None:
                    await continue_as_new(lambda: self._state, due)
                await self._round()
                rounds += 1

The state is set by ``@workflow.init``, because a message may be delivered before the first line of ``run``.
Deterministic code only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NoReturn, Self

from pydantic import Field
from temporalio import workflow

from trenova_schedules.backfill._wire import WireModel

CONTINUATION_MEMO: Final = "trenova.continuation"
"""The memo of a run under which its own :class:`ContinuationBudget` is looked for."""

_MIB: Final = 2**20
_MOST_EVENTS: Final = 50_000
_MOST_BYTES: Final = 48 * _MIB

ContinuationReason = Literal["suggested", "deployment", "bytes", "events"]


class ContinuationBudget(WireModel):
    """How long a history may become before its run goes on under a fresh one.

    It is read from the run's memo (:data:`CONTINUATION_MEMO`), which the history holds and every continued run
    inherits, so that a replay decides as the run did. A worker's option would not do: a changed one would decide
    otherwise about the histories of yesterday.

    Attributes:
        events: Events. Temporal logs a warning from 10,240 on and ends a run at 51,200 (``limit.historyCount.warn``,
            ``limit.historyCount.error``); 8,000 leaves a call and the messages of its time room below the warning.
        history_bytes: Bytes. The warning comes at 10 MiB and the end at 50 MiB (``limit.historySize.warn``,
            ``limit.historySize.error``). Large arguments and results reach them in a few hundred events.
    """

    events: Annotated[int, Field(ge=1, le=_MOST_EVENTS)] = 8_000
    history_bytes: Annotated[int, Field(ge=1, le=_MOST_BYTES)] = 8 * _MIB

    @classmethod
    def of_run(cls) -> Self:
        """Return the budget of the run that this is called in; the default where its memo has none."""
        found: Self | None = workflow.memo_value(CONTINUATION_MEMO, None, type_hint=cls)
        return found or cls()


@dataclass(frozen=True)
class Continuation:
    """Why a run should continue as new now.

    Attributes:
        reason: ``suggested`` by the server (by default from 4,096 events or 4 MiB on), ``deployment``: the run's task
            queue has another current worker deployment version; ``bytes`` or ``events``: the budget is used up.
        words: The same for a person.
    """

    reason: ContinuationReason
    words: str


def continuation_due(budget: ContinuationBudget | None = None) -> Continuation | None:
    """Say whether the run should continue as new now, and why; None where it need not.

    It changes only with a new workflow task. A run that continued must do some work before it asks again, or one whose
    budget is too small for its start continues for ever.

    Args:
        budget: The run's own if absent, see :meth:`ContinuationBudget.of_run`.
    """
    info = workflow.info()
    if info.is_continue_as_new_suggested():
        return Continuation("suggested", "the server suggests it")
    if info.is_target_worker_deployment_version_changed():
        return Continuation("deployment", "its task queue has a new worker deployment version")
    budget = budget or ContinuationBudget.of_run()
    size, events = info.get_current_history_size(), info.get_current_history_length()
    if size >= budget.history_bytes:
        return Continuation("bytes", f"its history has {size:,} bytes, of {budget.history_bytes:,} at most")
    if events >= budget.events:
        return Continuation("events", f"its history has {events:,} events, of {budget.events:,} at most")
    return None


async def continue_as_new(carry: Callable[[], Any], due: Continuation) -> NoReturn:
    """Wait until no message is being handled, then continue as new.

    A handler that is cut off would leave its caller without an answer and its change half done. Memo and search
    attributes are inherited. After a change of deployment the new run begins on the new version, also if the workflow
    is pinned.

    Args:
        carry: Makes the argument of the next run; called when every handler is finished, so that it has their changes.
        due: Why.

    Raises:
        temporalio.workflow.ContinueAsNewError: Always; let it pass.
    """
    await workflow.wait_condition(workflow.all_handlers_finished)
    workflow.logger.info("Continuing as new: %s", due.words)
    upgrade = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE if due.reason == "deployment" else None
    workflow.continue_as_new(carry(), initial_versioning_behavior=upgrade)
