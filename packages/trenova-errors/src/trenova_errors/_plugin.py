"""Everything this package adds to Temporal, as one plugin."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from temporalio.converter import DataConverter, PayloadConverter
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker import (
    ActivityInboundInterceptor,
    Interceptor,
    ReplayerConfig,
    WorkerConfig,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from trenova_errors._activity import ActivityErrors
from trenova_errors._budget import BudgetOptions, RetryBudget
from trenova_errors._failures import lifting
from trenova_errors._init_arguments import WorkflowInitArguments
from trenova_errors._metrics import FailureCounters
from trenova_errors._rules import RuleSet
from trenova_errors._sdk_log import one_line_each
from trenova_errors._settings import Settings, names
from trenova_errors._sizes import PayloadLimits, WorkflowLimits
from trenova_errors._types import ConfigurationError
from trenova_errors._workflow import WorkflowErrors

_PASSTHROUGH = ("annotated_types", "pydantic", "pydantic_core", "trenova_errors")


_DEFAULT_BUDGET = BudgetOptions()
_DEFAULT_LIMITS = PayloadLimits()


class ErrorsPlugin(SimplePlugin):
    """One decision about every failure: its type, whether and when it is tried again, and its one log line.

    Give it to ``Client.connect(plugins=[ErrorsPlugin()])``; the client hands it on to its workers. To a
    ``Replayer`` it is given directly. It keeps the payload codec, the external storage, the failure
    converter and the sandbox restrictions that are there, and adds to them. Without pydantic installed it
    leaves the payload converter alone.

    Another plugin that replaces the failure converter has to come before this one, or derive from the
    converter that it finds.

    Args:
        rules: Of your own, as for ``classify``.
        idempotent_activities: Names or functions of activities for which doing it twice is the same as doing it
            once, so that a failure whose outcome nobody knows is tried again; beside those that are decorated
            with ``idempotent``.
        dependency: Names what an exception failed at, for the retry budget, e.g. a host; None where it does not
            know. Without it, the host of an HTTP request names it, or the library whose exception it is.
        budget: How many retries this process may cause at one dependency before they wait longer; None for no
            such limit.
        limits: Sizes above which arguments and results are refused; None leaves them to the SDK and the server.
        max_unclassified_attempts: After how many attempts an exception that no rule knows is no longer tried
            again; None leaves it to the retry policy.
        replace_sdk_logs: Whether the lines that the SDK writes about failed attempts and failed workflow tasks,
            with messages and tracebacks, are left out while a worker runs; this plugin writes its own.
    """

    def __init__(
        self,
        *,
        rules: RuleSet | None = None,
        idempotent_activities: Sequence[str | Callable[..., Any]] = (),
        dependency: Callable[[BaseException], str | None] | None = None,
        budget: BudgetOptions | None = _DEFAULT_BUDGET,
        limits: PayloadLimits | None = _DEFAULT_LIMITS,
        max_unclassified_attempts: int | None = 50,
        replace_sdk_logs: bool = True,
    ) -> None:
        self._settings = Settings(
            rules=rules,
            idempotent_activities=names(idempotent_activities),
            dependency=dependency,
            budget=None if budget is None else RetryBudget(budget),
            limits=limits,
            max_unclassified_attempts=max_unclassified_attempts,
        )
        super().__init__(
            "trenova.ErrorsPlugin",
            data_converter=_data_converter,
            workflow_runner=_workflow_runner,
            workflow_failure_exception_types=[WorkflowInitArguments],
            run_context=one_line_each if replace_sdk_logs else None,
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class.

        Raises:
            ConfigurationError: The worker's client does not use this plugin, or another plugin has put
                converters of its own in the place of this one's.
        """
        client = config["client"]
        found = client.data_converter
        if _data_converter(found) is not found:
            raise ConfigurationError(
                "ErrorsPlugin is on the worker, but its client converts payloads or failures without it: "
                f"{found.payload_converter_class.__name__} and {found.failure_converter_class.__name__}. "
                "Pass ErrorsPlugin() to Client.connect(plugins=[...]), after plugins that set a converter."
            )
        config = super().configure_worker(config)
        runtime = client.service_client.config.runtime or Runtime.default()
        config["interceptors"] = _with(
            config.get("interceptors"), ErrorsInterceptor(self._settings, found, FailureCounters(runtime.metric_meter))
        )
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """See base class."""
        config = super().configure_replayer(config)
        converter = config.get("data_converter") or DataConverter.default
        config["interceptors"] = _with(config.get("interceptors"), ErrorsInterceptor(self._settings, converter))
        return config


class ErrorsInterceptor(Interceptor):
    """What one worker or replayer is given."""

    def __init__(self, settings: Settings, converter: DataConverter, counters: FailureCounters | None = None) -> None:
        self._settings, self._converter = settings, converter
        self._counters = counters or FailureCounters(None)
        limits = None if settings.limits is None else WorkflowLimits.of(settings.limits, converter)
        namespace = {
            "settings": settings,
            "limits": limits,
            "counters": self._counters,
            "__doc__": WorkflowErrors.__doc__,
        }
        self._workflows = type("WorkflowErrors", (WorkflowErrors,), namespace)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """See base class."""
        return ActivityErrors(next, self._settings, converter=self._converter, counters=self._counters)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        return self._workflows


def _with(existing: Sequence[Interceptor] | None, ours: ErrorsInterceptor) -> list[Interceptor]:
    """Return the interceptors with one of ours, also where the plugin is on client and worker."""
    return [one for one in existing or () if not isinstance(one, ErrorsInterceptor)] + [ours]


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
