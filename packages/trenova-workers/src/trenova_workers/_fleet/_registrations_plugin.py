"""Tells what a worker registers, by a plugin's name."""

from collections.abc import Callable, Iterable
from typing import Any

from temporalio import activity, workflow
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig

from trenova_workers._fleet._registrations import ANY, PLUGIN_NAME, Registrations


class RegistrationsPlugin(SimplePlugin):
    """Lets `list_workers`, and every other worker of a queue, see what the worker of a client registers.

    One for each client, last among its plugins: so it sees what the others have added. `trenova_workers.run`
    does this; another worker does it with ``Client.connect(plugins=[..., RegistrationsPlugin()])``.
    """

    def __init__(self) -> None:
        self.registrations: Registrations | None = None
        """What the worker registers; None until there is a worker."""
        super().__init__(PLUGIN_NAME)

    def name(self) -> str:
        """See base class; it tells what is registered, once that is known."""
        return PLUGIN_NAME if self.registrations is None else self.registrations.plugin_name()

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class."""
        config = super().configure_worker(config)
        self.registrations = Registrations.of(
            workflows=map(_workflow_name, config.get("workflows", ())),
            activities=() if config.get("no_remote_activities") else _activity_names(config.get("activities", ())),
            nexus=map(_service_name, config.get("nexus_service_handlers", ())),
        )
        return config


def _workflow_name(cls: type) -> str:
    return workflow._Definition.must_from_class(cls).name or ANY  # noqa: SLF001 (the SDK has no other way to ask)


def _activity_names(functions: Iterable[Callable[..., Any]]) -> list[str]:
    return [activity._Definition.must_from_callable(one).name or ANY for one in functions]  # noqa: SLF001 (as above)


def _service_name(handler: Any) -> str:
    definition = getattr(type(handler), "__nexus_service_definition__", None)
    return str(getattr(definition, "name", type(handler).__name__))
