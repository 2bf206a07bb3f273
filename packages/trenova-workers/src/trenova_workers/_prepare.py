"""What has to be there before a service runs."""

import logging

from temporalio.envconfig import ClientConnectConfig

from trenova_workers._connection import connect
from trenova_workers._identity import make_identity
from trenova_workers._plugins import client_plugins
from trenova_workers._search_attributes import register_search_attributes, wanted_attributes
from trenova_workers._service import S, Service

_log = logging.getLogger(__name__)


async def prepare(service: Service[S], settings: S, *, connection: ClientConnectConfig) -> None:
    """Run the service's own preparation, register its search attributes, prepare its namespace. Safe to repeat.

    Raises:
        ConfigurationError: Something is in the way; the message says what and what to do.
    """
    await service.prepare(settings)
    if service.search_attributes or service.prepare_namespace is not None:
        client = await connect(
            connection, identity=make_identity(service.name), plugins=client_plugins(service, settings)
        )
        added = await register_search_attributes(client, wanted_attributes(service.search_attributes))
        facts = {"added": added, "namespace": client.namespace}
        _log.info("search attributes are registered", extra=facts)
        if service.prepare_namespace is not None:
            await service.prepare_namespace(settings, client)
    _log.info("prepared", extra={"service": service.name})
