"""Bad input ends a workflow or is refused, what escapes has a type, and each failure has one line."""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final

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
from trenova_errors._base import ApplicationError
from trenova_errors._evidence import organization_of
from trenova_errors._failure_log import write
from trenova_errors._failures import UndecodableError
from trenova_errors._handlers import Handler, query_handler, signal_handler, update_handler
from trenova_errors._metrics import FailureCounters
from trenova_errors._reporting import report_to
from trenova_errors._runs import first_time, remember
from trenova_errors._settings import Settings
from trenova_errors._sizes import WorkflowLimits
from trenova_errors._types import InvalidInputError
from trenova_errors._validation import VALIDATION_ERRORS, describe
from trenova_errors._workflow_failures import context_of, ended_unseen, escaping, input_summary, refused
from trenova_errors._workflow_outbound import OutboundErrors
from trenova_errors._workflow_sizes import TaskSizes

_NOT_DECODED: Final = "Its arguments cannot be decoded. Give this worker the codec of the one who sent it."
_NO_KEYS: Mapping[str, str] = MappingProxyType({})


class WorkflowErrors(WorkflowInboundInterceptor):
    """Checks arguments and results, and decides about what escapes from workflow code and handlers."""

    settings: ClassVar[Settings] = Settings()
    limits: ClassVar[WorkflowLimits | None] = None
    counters: ClassVar[FailureCounters] = FailureCounters(None)

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """See base class."""
        self._organization: str | None = None
        self._sizes = TaskSizes(self.limits, outbound.info().run_id)
        self._info = outbound.info()
        self._run = workflow._Runtime.current()  # noqa: SLF001 - needed where the SDK has not set it yet
        self._dropped = 0
        report_to(workflow.payload_converter(), self._input_refused)
        remember(self._info.run_id, self)
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
            self._drop(input.signal, error)
            return

        async def run() -> None:
            try:
                await super(WorkflowErrors, self).handle_signal(input)
            except VALIDATION_ERRORS as error:
                self._drop(input.signal, _invalid(error))

        await self._escaping("Workflow failed in a signal handler", run(), {"signal": input.signal})

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

        return await self._escaping("Update failed", run(), {"update": input.update})

    async def _escaping(self, event: str, work: Awaitable[Any], keys: Mapping[str, str] = _NO_KEYS) -> Any:
        try:
            return await work
        except VALIDATION_ERRORS as error:
            raise escaping(event, _invalid(error), self._organization, keys) from None
        except Exception as error:
            if is_cancelled_exception(error):
                raise
            decided = escaping(event, error, self._organization, keys, rules=self.settings.rules)
            raise decided from decided.__cause__

    def _input_refused(self, error: InvalidInputError) -> None:
        """Log input that the SDK could not decode, so that it asked no interceptor; queries have no line."""
        update = workflow.current_update_info() if workflow.in_workflow() else None
        if update is not None:
            self._write_input("Update refused", error, {"update": update.name})
        elif not workflow.in_workflow():
            self._write_input("Workflow failed", error, {})

    def signal_undecoded(self, signal: str, error: BaseException) -> None:
        """Log and count a signal that the SDK has dropped."""
        self._drop(signal, error if isinstance(error, InvalidInputError) else UndecodableError(_NOT_DECODED))

    def _drop(self, signal: str, error: ApplicationError) -> None:
        self._dropped += 1
        if not self._run.workflow_is_replaying_history_events() and first_time(self._info.run_id, self._dropped):
            self._write_input(f"Dropped signal {signal!r}: {error.message}", error, {"signal": signal}, logging.WARNING)
            info = self._info
            self.counters.dropped_signal(info.namespace, info.task_queue, info.workflow_type)

    def _write_input(
        self, event: str, error: ApplicationError, keys: Mapping[str, str], level: int = logging.INFO
    ) -> None:
        if self._run.workflow_is_replaying_history_events():
            return
        organization = self._organization or organization_of((), self._info.priority.fairness_key)
        context = {**context_of(self._info, organization), **keys}
        write(level, event, error, input_summary(error), context)

    def _unseen(self, subject: str, error: BaseException) -> None:
        ended_unseen(subject, error, self._organization)


def _fitting(handler: Handler | None, args: Sequence[Any], subject: str) -> Sequence[Any]:
    return args if handler is None else handler.fitting(args, subject)


def _invalid(error: Exception) -> InvalidInputError:
    return InvalidInputError(describe(error)).with_traceback(error.__traceback__)
