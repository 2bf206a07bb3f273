"""``prepare``: the service's own part, its search attributes, then what it needs in the namespace."""

import uuid

import pytest
from sample_worker.__main__ import SERVICE
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from trenova_errors import ConfigurationError, ErrorsPlugin
from trenova_workers import Service, ServiceSettings, connect_config, prepare

NOWHERE = connect_config({"TEMPORAL_ADDRESS": "127.0.0.1:1"})


class Steps:
    """Writes down what was called, and what the server knew by then."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.taken: list[str] = []
        self.client: Client | None = None

    async def own(self, _: ServiceSettings) -> None:
        self.taken.append("own")

    async def namespace(self, _: ServiceSettings, client: Client) -> None:
        self.client = client
        await client.count_workflows(f"{self.tag} = 'anything'")  # refused while the attribute is unknown
        self.taken.append("namespace")

    def service(self, **parts) -> Service:
        return Service(
            name="steps", summary="", settings=ServiceSettings, queues=lambda _: [], work=SERVICE.work, **parts
        )


async def test_the_namespace_comes_last_with_the_plugins_of_the_service(client, server):
    steps = Steps(f"Tag{uuid.uuid4().hex[:8]}")
    service = steps.service(
        prepare=steps.own,
        prepare_namespace=steps.namespace,
        search_attributes=[SearchAttributeKey.for_keyword(steps.tag)],
    )

    await prepare(service, ServiceSettings(), connection=connect_config({"TEMPORAL_ADDRESS": server.address}))

    assert steps.taken == ["own", "namespace"]
    assert any(isinstance(plugin, ErrorsPlugin) for plugin in steps.client.config()["plugins"])


async def test_a_service_that_needs_nothing_there_needs_no_server():
    steps = Steps("Unused")

    await prepare(steps.service(prepare=steps.own), ServiceSettings(), connection=NOWHERE)

    assert steps.taken == ["own"]


async def test_a_server_that_is_not_there_is_a_configuration_error():
    steps = Steps("Unused")

    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:1"):
        await prepare(steps.service(prepare_namespace=steps.namespace), ServiceSettings(), connection=NOWHERE)
    assert steps.taken == []
