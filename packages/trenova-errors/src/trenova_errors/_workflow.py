"""Bad input ends a workflow or is refused; it never leaves one retrying its task for ever."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
)

from trenova_errors._arguments import fit
from trenova_errors._types import InvalidInputError
from trenova_errors._validation import VALIDATION_ERRORS, describe


class WorkflowErrors(WorkflowInboundInterceptor):
    """Checks arguments, and turns pydantic's errors in workflow code into errors that end the run."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """See base class."""
        subject = f"Workflow {workflow.info().workflow_type!r}"
        input.args = fit(input.run_fn, input.args, workflow.payload_converter, subject=subject, unbound=True)
        return await _validated(super().execute_workflow(input))

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        """Handle it, or log, count and drop it, because one signal must not stop the run."""
        handler = workflow.get_signal_handler(input.signal) or workflow.get_dynamic_signal_handler()
        try:
            input.args = _fitting(handler, input.args, f"Signal {input.signal!r}")
        except InvalidInputError as error:
            _dropped(input.signal, error.message)
            return
        try:
            await super().handle_signal(input)
        except VALIDATION_ERRORS as error:
            _dropped(input.signal, describe(error))

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        """See base class."""
        handler = workflow.get_query_handler(input.query) or workflow.get_dynamic_query_handler()
        input.args = _fitting(handler, input.args, f"Query {input.query!r}")
        return await _validated(super().handle_query(input))

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        """See base class."""
        handler = workflow.get_update_handler(input.update) or workflow.get_dynamic_update_handler()
        input.args = _fitting(handler, input.args, f"Update {input.update!r}")
        try:
            super().handle_update_validator(input)
        except VALIDATION_ERRORS as error:
            raise _invalid(error) from None

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        """See base class."""
        handler = workflow.get_update_handler(input.update) or workflow.get_dynamic_update_handler()
        input.args = _fitting(handler, input.args, f"Update {input.update!r}")
        return await _validated(super().handle_update_handler(input))


def _fitting(handler: Callable[..., Any] | None, args: Sequence[Any], subject: str) -> Sequence[Any]:
    return args if handler is None else fit(handler, args, workflow.payload_converter, subject=subject)


async def _validated(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except VALIDATION_ERRORS as error:
        raise _invalid(error) from None


def _invalid(error: Exception) -> InvalidInputError:
    return InvalidInputError(describe(error)).with_traceback(error.__traceback__)


def _dropped(signal: str, reason: str) -> None:
    workflow.logger.warning("Dropped signal %r: %s", signal, reason, extra={"error_kind": InvalidInputError.kind})
    meter = workflow.metric_meter()
    meter.create_counter("trenova_errors_dropped_signals", "Signals whose arguments were refused.").add(1)
