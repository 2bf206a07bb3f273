import pytest
from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_workers import connect, connect_config


async def test_why_there_is_no_server_is_told_in_the_words_of_the_system():
    with pytest.raises(ConfigurationError) as caught:
        await connect(connect_config({"TEMPORAL_ADDRESS": "127.0.0.1:1"}), identity="one")
    assert "lets us in: Connection refused. Start one" in caught.value.message


async def test_a_connection_carries_the_identity(server):
    client = await connect({"target_host": server.address, "namespace": "default"}, identity="me@here:1")

    assert isinstance(client, Client)
    assert client.identity == "me@here:1"


async def test_a_namespace_that_is_not_there_is_named_with_what_to_do(server):
    with pytest.raises(ConfigurationError, match=r"has no namespace 'nowhere'. Create it") as caught:
        await connect({"target_host": server.address, "namespace": "nowhere"}, identity="me")
    assert caught.value.facts == {"namespace": "nowhere"}


async def test_a_server_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(ConfigurationError, match=r"No Temporal server at '127.0.0.1:1'.*TEMPORAL_ADDRESS"):
        await connect({"target_host": "127.0.0.1:1", "namespace": "default"}, identity="me")


async def test_an_address_without_a_port_is_refused():
    with pytest.raises(ConfigurationError, match="TEMPORAL_ADDRESS"):
        await connect({"target_host": "not an address", "namespace": "default"}, identity="me")
