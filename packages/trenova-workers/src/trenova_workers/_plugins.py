"""What the client of a service is given: what the service names, and what its settings ask of the runtime."""

from collections.abc import Sequence

from temporalio.client import Plugin

from trenova_workers._identity import Identity
from trenova_workers._observability._plugin import ObservabilityPlugin
from trenova_workers._service import S, Service
from trenova_workers.routing._plugin import RoutingPlugin
from trenova_workers.routing._router import Router


def client_plugins(service: Service[S], settings: S, identity: Identity | None = None) -> Sequence[Plugin]:
    """Return the service's own plugins, first the one that traces and last the one that routes starts, if wanted.

    Args:
        service: Whose client it is.
        settings: Where traces go, and by which rules starts are routed.
        identity: What traces say of the process; the name of the service alone where it is None.

    Raises:
        ConfigurationError: The rules cannot be read or do not hold, or traces need what is not installed.
    """
    own = service.plugins(settings)
    rules, observed = settings.routing.rules, settings.observability
    plugins = list(own) if rules is None else [*own, RoutingPlugin(Router.from_file(rules))]
    if observed.otlp_url is not None:
        plugins.insert(0, ObservabilityPlugin(observed, service=service.name, identity=identity))
    return plugins
