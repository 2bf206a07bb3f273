"""The plugin that routes what a client starts."""

import time
from collections.abc import Callable

from temporalio.client import ClientConfig
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin

from trenova_workers.routing._facts import Fact, Facts
from trenova_workers.routing._interceptor import RoutingInterceptor
from trenova_workers.routing._loads import QueueLoads
from trenova_workers.routing._router import Router
from trenova_workers.routing._statistics import ServerStatistics


class RoutingPlugin(SimplePlugin):
    """Sends what a client starts where the rules say; callers stay as they are.

    Routed are ``start_workflow`` (also with a start signal), update-with-start, and ``create_schedule``, whose runs
    all go to the queue that was right when it was created. Workflow ids are never touched, so a start joins or refuses
    the run that has its id, on whatever queue that is.

    The caller's word counts more than the rules: each field of a ``Priority`` that it gives is kept. The task queue is
    the rules' where they name one, since no start can do without; ``match.queue`` limits a rule to one.

    Children and runs that continue as new inherit the priority from the server, and their queue from the workflow
    that starts them; nothing here runs inside a workflow.
    """

    def __init__(
        self,
        router: Router,
        *,
        organization: Fact | None = None,
        urgency: Fact | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the router.

        Args:
            router: The rules; may be shared by several plugins.
            organization: Takes a workflow type and its arguments, returns the organization's id or None. Without it, or
                where it returns None: the search attribute ``TrenovaOrganizationId``, else the attribute
                ``organization_id`` of the first argument.
            urgency: Likewise for the urgency; without it the attribute ``urgency`` of the first argument.
            clock: Seconds that never go back.
        """
        super().__init__("trenova.routing")
        self.router = router
        self._organization = organization
        self._urgency = urgency
        self._clock = clock

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Add an interceptor that asks the server of this client."""
        config = super().configure_client(config)
        service, namespace = config["service_client"], config["namespace"]
        converter = config.get("data_converter", DataConverter.default).payload_converter
        facts = Facts(converter, self._organization, self._urgency)

        def loads() -> QueueLoads:
            statistics = ServerStatistics(service, namespace, self._clock)
            return QueueLoads(statistics, options=self.router.rules.load, clock=self._clock)

        config["interceptors"] = [*config.get("interceptors", []), RoutingInterceptor(self.router, facts, loads)]
        return config
