import asyncio

import pytest
from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_workers import connect, connect_config


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "temporal.toml"
    path.write_text('[profile.default]\naddress = "one:7233"\n[profile.eu]\naddress = "eu:7233"\nnamespace = "tms"\n')
    return path


def test_without_anything_it_is_the_local_server(tmp_path):
    config = connect_config({"HOME": str(tmp_path)})

    assert (config["target_host"], config["namespace"]) == ("localhost:7233", "default")


@pytest.mark.parametrize("address", ["http://one:7233", "https://one:7233/", "grpc://me:hunter2@one:7233/x"])
def test_an_address_with_a_scheme_is_refused_with_what_to_write(address):
    with pytest.raises(ConfigurationError, match=r"is a URL\. Write 'one:7233' in its place") as caught:
        connect_config({"TEMPORAL_ADDRESS": address})
    assert "hunter2" not in caught.value.message


async def test_why_there_is_no_server_is_told_in_the_words_of_the_system():
    with pytest.raises(ConfigurationError) as caught:
        await connect(connect_config({"TEMPORAL_ADDRESS": "127.0.0.1:1"}), identity="one")
    assert "lets us in: Connection refused. Start one" in caught.value.message


async def test_a_server_without_tls_is_told_as_such():
    async def answer(_, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as plain:
        address = f"127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=r"lets us in: it does not speak TLS\. .*TEMPORAL_TLS=false"):
            await connect(connect_config({"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS": "true"}), identity="one")


def test_a_profile_says_where(file):
    config = connect_config({"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "eu"})

    assert (config["target_host"], config["namespace"]) == ("eu:7233", "tms")


def test_variables_override_the_profile(file):
    config = connect_config({"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_ADDRESS": "two:1"})

    assert config["target_host"] == "two:1"


def test_a_config_file_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match=r"TEMPORAL_CONFIG_FILE names '/no/such.toml', which does not exist"):
        connect_config({"TEMPORAL_CONFIG_FILE": "/no/such.toml"})


def test_an_unknown_profile_is_refused(file):
    with pytest.raises(ConfigurationError, match=r"the profile 'us' of .* cannot be used"):
        connect_config({"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "us"})


def test_a_file_that_is_not_toml_is_refused(file):
    file.write_text("address: one")

    with pytest.raises(ConfigurationError, match="cannot be used"):
        connect_config({"TEMPORAL_CONFIG_FILE": str(file)})


@pytest.mark.parametrize("line", ['api_key = "hunter2', 'tls = "hunter2"', "api_key = [5, 'hunter2']"])
def test_what_is_wrong_with_a_file_is_told_without_its_lines(file, line):
    file.write_text(f"[profile.default]\n{line}\n")

    with pytest.raises(ConfigurationError, match="line 2") as caught:
        connect_config({"TEMPORAL_CONFIG_FILE": str(file)})
    assert "hunter2" not in caught.value.message


def test_a_certificate_that_is_not_there_is_refused(file):
    file.write_text('[profile.default.tls]\nclient_cert_path = "/no/such.pem"\nclient_key_path = "/no/such.key"\n')

    with pytest.raises(ConfigurationError, match=r"such\.pem"):
        connect_config({"TEMPORAL_CONFIG_FILE": str(file)})


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
