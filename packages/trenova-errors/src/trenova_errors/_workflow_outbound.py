"""What a workflow sends, measured; what comes back without any worker having seen the failure, logged."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.worker import (
    ContinueAsNewInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
    WorkflowOutboundInterceptor,
)

from trenova_errors._workflow_sizes import TaskSizes

Unseen = Callable[[str, BaseException], None]
"""Called with what ended, e.g. ``Activity 'send'``, and how."""


class OutboundErrors(WorkflowOutboundInterceptor):
    """Refuses what is too large, and reports what ended out of every worker's sight."""

    def __init__(self, next: WorkflowOutboundInterceptor, sizes: TaskSizes, unseen: Unseen) -> None:  # noqa: A002
        super().__init__(next)
        self._sizes = sizes
        self._unseen = unseen

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        """See base class."""
        self._sizes.admit(f"The argument of activity {input.activity!r}", input.args)
        handle = super().start_activity(input)
        handle.add_done_callback(self._watching(f"Activity {input.activity!r}"))
        return handle

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        """See base class."""
        self._sizes.admit(f"Local activity {input.activity!r}", [], single=False)
        handle = super().start_local_activity(input)
        handle.add_done_callback(lambda _: self._sizes.look())
        return handle

    async def start_child_workflow(
        self,
        input: StartChildWorkflowInput,  # noqa: A002
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        """See base class."""
        self._sizes.admit(f"The argument of child workflow {input.workflow!r}", input.args)
        handle = await super().start_child_workflow(input)
        handle.add_done_callback(self._watching(f"Child workflow {input.workflow!r}"))
        return handle

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:  # noqa: A002
        """See base class."""
        self._sizes.admit(f"The argument of signal {input.signal!r}", input.args)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:  # noqa: A002
        """See base class."""
        self._sizes.admit(f"The argument of signal {input.signal!r}", input.args)
        await super().signal_external_workflow(input)

    async def start_nexus_operation(
        self,
        input: StartNexusOperationInput[Any, Any],  # noqa: A002
    ) -> workflow.NexusOperationHandle[Any]:
        """See base class."""
        self._sizes.admit(f"The input of Nexus operation {input.operation_name!r}", [input.input])
        return await super().start_nexus_operation(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002
        """See base class."""
        self._sizes.admit("The argument of the run that continues", input.args, single=False)
        super().continue_as_new(input)

    def _watching(self, subject: str) -> Callable[[asyncio.Task[Any]], None]:
        def ended(task: asyncio.Task[Any]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._unseen(subject, error)

        return ended
