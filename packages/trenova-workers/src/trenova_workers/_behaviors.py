"""How runs of each workflow move between versions: what workflows declare, and how the server hears of it.

A class says it in the SDK's way, ``@workflow.defn(versioning_behavior=...)``, or by an attribute
``versioning_behavior`` of its own. The server refuses every task of a worker without versioning that tells a behaviour,
so with the SDK's way alone a workflow would hang wherever versioning is off. The attribute is told by versioned workers
only, and so is the SDK's declaration by workers of this runtime.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.common import VersioningBehavior
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers._service import Finding, S, Service

_ATTRIBUTE = "versioning_behavior"
_SUBJECT = "versions of workflows"
_UNSPECIFIED = VersioningBehavior.UNSPECIFIED


def behavior_of(cls: type) -> VersioningBehavior:
    """Return what a workflow class declares; ``UNSPECIFIED`` for nothing.

    Raises:
        ConfigurationError: Its attribute is no behaviour, or says otherwise than its decorator.
    """
    definition = workflow._Definition.must_from_class(cls)  # noqa: SLF001 (the SDK has no other way to ask)
    decorated = definition.versioning_behavior or _UNSPECIFIED
    own = getattr(cls, _ATTRIBUTE, _UNSPECIFIED)
    if not isinstance(own, VersioningBehavior):
        raise ConfigurationError(
            f"The workflow {cls.__name__} has {_ATTRIBUTE} = {own!r}. Make it VersioningBehavior.PINNED or "
            "VersioningBehavior.AUTO_UPGRADE, or rename the attribute."
        )
    if _UNSPECIFIED not in {own, decorated} and own != decorated:
        raise ConfigurationError(
            f"The workflow {cls.__name__} declares {decorated.name} in @workflow.defn and {own.name} as an attribute. "
            "Keep the attribute and take the other away."
        )
    return decorated if own == _UNSPECIFIED else own


def behaviors_of(workflows: Iterable[type]) -> dict[str, VersioningBehavior]:
    """Return what each workflow of a versioned worker declares, by its wire name.

    A dynamic workflow that the SDK asks by ``@workflow.dynamic_config`` is not among them.

    Raises:
        ConfigurationError: Some declare nothing; all of them are named.
    """
    found: dict[str, VersioningBehavior] = {}
    silent: list[str] = []
    for cls in workflows:
        definition = workflow._Definition.must_from_class(cls)  # noqa: SLF001 (as above)
        behavior = behavior_of(cls)
        if behavior != _UNSPECIFIED:
            found[definition.name or ""] = behavior
        elif definition.dynamic_config_fn is None:
            silent.append(f"{definition.name or 'a dynamic one'} ({cls.__module__}.{cls.__qualname__})")
    if silent:
        raise ConfigurationError(
            "worker.deployment.versioned is true, and these workflows do not say how their runs move between versions: "
            f"{', '.join(silent)}. Give each class versioning_behavior = VersioningBehavior.PINNED if its runs are "
            "short and end where they began, or AUTO_UPGRADE if they outlive a release; or set versioned to false."
        )
    return found


async def check_behaviors(service: Service[S], settings: S) -> Sequence[Finding]:
    """Say whether every workflow of a versioned worker declares how its runs move; nothing where versioning is off.

    What the service works with is opened for that.
    """
    if not settings.worker.deployment.versioned:
        return []
    try:
        async with service.work(settings) as work:
            workflows = list(work.workflows)
    except ApplicationError as error:  # the service's own check says what to do about it
        return [Finding(_SUBJECT, ok=True, detail=f"could not look at the workflows: {error.message}")]
    try:
        told = sorted(behaviors_of(workflows).items())
    except ConfigurationError as error:
        return [Finding(_SUBJECT, ok=False, detail=error.message)]
    said = ", ".join(f"{name or 'a dynamic one'} {behavior.name}" for name, behavior in told)
    return [Finding(_SUBJECT, ok=True, detail=f"every workflow says how its runs move: {said or 'there is none'}")]


def behaviors_plugins(workflows: Sequence[type], *, versioned: bool) -> list[SimplePlugin]:
    """Return the plugin that lets workers tell, or not tell, behaviours; none where the SDK does the same by itself.

    Raises:
        ConfigurationError: As `behaviors_of`, and only where ``versioned``.
    """
    if versioned:
        return [BehaviorsPlugin(behaviors_of(workflows))]
    declared = [workflow._Definition.must_from_class(cls).versioning_behavior for cls in workflows]  # noqa: SLF001 (as above)
    return [BehaviorsPlugin(None)] if any(declared) else []


class BehaviorsPlugin(SimplePlugin):
    """Decides what a worker tells of behaviours. The last of a worker's plugins: it wraps the runners of the others.

    Args:
        behaviors: By the wire name of the workflow, a dynamic one's is empty; None tells nothing at all.
    """

    def __init__(self, behaviors: Mapping[str, VersioningBehavior] | None) -> None:
        self._behaviors = behaviors
        super().__init__("trenova_workers.Behaviors")

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class."""
        config = super().configure_worker(config)
        config["workflow_runner"] = _Runner(config["workflow_runner"], self._behaviors)
        config["unsandboxed_workflow_runner"] = _Runner(config["unsandboxed_workflow_runner"], self._behaviors)
        return config


class _Runner(WorkflowRunner):
    def __init__(self, runner: WorkflowRunner, behaviors: Mapping[str, VersioningBehavior] | None) -> None:
        self._runner, self._behaviors = runner, behaviors

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._runner.create_instance(det)
        told = _UNSPECIFIED if self._behaviors is None else self._behaviors.get(det.defn.name or "")
        return instance if told is None else _Instance(instance, told)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        self._runner.set_worker_level_failure_exception_types(types)


class _Instance(WorkflowInstance):
    def __init__(self, instance: WorkflowInstance, behavior: VersioningBehavior) -> None:
        self._instance, self._behavior = instance, behavior

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._instance.activate(act)
        if completion.HasField("successful"):
            completion.successful.versioning_behavior = self._behavior.value
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> workflow.Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()
