"""What the client of a service is given: what the service names, and what its settings ask of the runtime."""

from collections.abc import Sequence

from temporalio.client import Plugin

from trenova_workers._service import S, Service
from trenova_workers.routing._plugin import RoutingPlugin
from trenova_workers.routing._router import Router


def client_plugins(service: Service[S], settings: S) -> Sequence[Plugin]:
    """Return the service's own plugins, and last the one that routes starts if there are rules.

    Raises:
        ConfigurationError: The rules cannot be read or do not hold.
    """
    own = service.plugins(settings)
    rules = settings.routing.rules
    return own if rules is None else (*own, RoutingPlugin(Router.from_file(rules)))
