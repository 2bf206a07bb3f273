"""Everything this package adds to Temporal, as one plugin."""

import dataclasses
from collections.abc import Callable

from temporalio.converter import DataConverter, PayloadConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ActivityInboundInterceptor,
    Interceptor,
    WorkerConfig,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from trenova_errors._activity import ActivityErrors
from trenova_errors._failures import lifting
from trenova_errors._init_arguments import WorkflowInitArguments
from trenova_errors._types import ConfigurationError
from trenova_errors._workflow import WorkflowErrors

_PASSTHROUGH = ("annotated_types", "pydantic", "pydantic_core", "trenova_errors")


class ErrorsPlugin(SimplePlugin):
    """Bad input fails at once and says why; whatever escapes from an activity has a type.

    Give it to ``Client.connect(plugins=[ErrorsPlugin()])``; the client hands it on to its workers. To a
    ``Replayer`` it is given directly. It keeps the payload codec, the external storage, the failure
    converter and the sandbox restrictions that are there, and adds to them. Without pydantic installed it
    leaves the payload converter alone.

    Another plugin that replaces the failure converter has to come before this one, or derive from the
    converter that it finds.
    """

    def __init__(self) -> None:
        super().__init__(
            "trenova.ErrorsPlugin",
            data_converter=_data_converter,
            interceptors=[_ErrorsInterceptor()],
            workflow_runner=_workflow_runner,
            workflow_failure_exception_types=[WorkflowInitArguments],
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class.

        Raises:
            ConfigurationError: The worker's client does not use this plugin, or another plugin has put
                converters of its own in the place of this one's.
        """
        found = config["client"].data_converter
        if _data_converter(found) is not found:
            raise ConfigurationError(
                "ErrorsPlugin is on the worker, but its client converts payloads or failures without it: "
                f"{found.payload_converter_class.__name__} and {found.failure_converter_class.__name__}. "
                "Pass ErrorsPlugin() to Client.connect(plugins=[...]), after plugins that set a converter."
            )
        return super().configure_worker(config)


class _ErrorsInterceptor(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return ActivityErrors(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        return WorkflowErrors


def _data_converter(existing: DataConverter | None) -> DataConverter:
    """Return a converter that lifts and refuses; the one given if it does already."""
    existing = existing or DataConverter.default
    payloads = _refusing()(existing.payload_converter_class)
    failures = lifting(existing.failure_converter_class)
    if payloads is existing.payload_converter_class and failures is existing.failure_converter_class:
        return existing
    return dataclasses.replace(existing, payload_converter_class=payloads, failure_converter_class=failures)


def _refusing() -> Callable[[type[PayloadConverter]], type[PayloadConverter]]:
    try:
        from trenova_errors.pydantic import refusing
    except ModuleNotFoundError:
        return lambda base: base
    return refusing


def _workflow_runner(existing: WorkflowRunner | None) -> WorkflowRunner:
    if existing is None:
        existing = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default)
    if not isinstance(existing, SandboxedWorkflowRunner):
        return existing
    restrictions = existing.restrictions.with_passthrough_modules(*_PASSTHROUGH)
    return dataclasses.replace(existing, restrictions=restrictions)
