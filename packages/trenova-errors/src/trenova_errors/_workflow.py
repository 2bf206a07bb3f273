"""Bad input ends a workflow or is refused, what escapes has a type, and each failure has one line."""

from collections.abc import Awaitable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

from trenova_errors._arguments import fit
from trenova_errors._evidence import organization_of
from trenova_errors._handlers import Handler, query_handler, signal_handler, update_handler
from trenova_errors._settings import Settings
from trenova_errors._sizes import WorkflowLimits
from trenova_errors._types import InvalidInputError
from trenova_errors._validation import VALIDATION_ERRORS, describe
from trenova_errors._workflow_failures import dropped, ended_unseen, escaping, refused
from trenova_errors._workflow_outbound import OutboundErrors
from trenova_errors._workflow_sizes import TaskSizes


class WorkflowErrors(WorkflowInboundInterceptor):
    """Checks arguments and results, and decides about what escapes from workflow code and handlers."""

    settings: ClassVar[Settings] = Settings()
    limits: ClassVar[WorkflowLimits | None] = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """See base class."""
        self._organization: str | None = None
        self._sizes = TaskSizes(self.limits, outbound.info().run_id)
        super().init(OutboundErrors(outbound, self._sizes, self._unseen))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """See base class."""
        info = workflow.info()
        self._organization = organization_of(input.args, info.priority.fairness_key)

        async def run() -> Any:
            subject = f"Workflow {info.workflow_type!r}"
            input.args = fit(input.run_fn, input.args, workflow.payload_converter, subject=subject, unbound=True)
            result = await super(WorkflowErrors, self).execute_workflow(input)
            self._sizes.admit(f"The result of workflow {info.workflow_type!r}", [result])
            return result

        return await self._escaping("Workflow failed", run())

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        """Handle it, or log, count and drop it, because one signal must not stop the run."""
        handler = signal_handler(input.signal)
        try:
            input.args = _fitting(handler, input.args, f"Signal {input.signal!r}")
        except InvalidInputError as error:
            dropped(input.signal, error.message, self._organization)
            return

        async def run() -> None:
            try:
                await super(WorkflowErrors, self).handle_signal(input)
            except VALIDATION_ERRORS as error:
                dropped(input.signal, describe(error), self._organization)

        await self._escaping("Workflow failed in a signal handler", run(), signal=input.signal)

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        """See base class."""
        handler = query_handler(input.query)
        input.args = _fitting(handler, input.args, f"Query {input.query!r}")
        try:
            return await super().handle_query(input)
        except VALIDATION_ERRORS as error:
            raise _invalid(error) from None

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        """See base class."""
        handler = update_handler(input.update)
        try:
            input.args = _fitting(handler, input.args, f"Update {input.update!r}")
            super().handle_update_validator(input)
        except VALIDATION_ERRORS as error:
            raise refused(_invalid(error), self._organization, update=input.update) from None
        except workflow.ReadOnlyContextError:
            raise
        except Exception as error:  # noqa: BLE001 - decided about, never swallowed
            decided = refused(error, self._organization, update=input.update, rules=self.settings.rules)
            raise decided from decided.__cause__

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        """See base class."""
        handler = update_handler(input.update)

        async def run() -> Any:
            input.args = _fitting(handler, input.args, f"Update {input.update!r}")
            result = await super(WorkflowErrors, self).handle_update_handler(input)
            self._sizes.admit(f"The result of update {input.update!r}", [result])
            return result

        return await self._escaping("Update failed", run(), update=input.update)

    async def _escaping(self, event: str, work: Awaitable[Any], **keys: str) -> Any:
        try:
            return await work
        except VALIDATION_ERRORS as error:
            raise escaping(event, _invalid(error), self._organization, **keys) from None
        except Exception as error:
            if is_cancelled_exception(error):
                raise
            decided = escaping(event, error, self._organization, rules=self.settings.rules, **keys)
            raise decided from decided.__cause__

    def _unseen(self, subject: str, error: BaseException) -> None:
        ended_unseen(subject, error, self._organization)


def _fitting(handler: Handler | None, args: Sequence[Any], subject: str) -> Sequence[Any]:
    return args if handler is None else handler.fitting(args, subject)


def _invalid(error: Exception) -> InvalidInputError:
    return InvalidInputError(describe(error)).with_traceback(error.__traceback__)
