"""Where commands and services find Temporal, and what is said when they do not."""

import asyncio

import pytest

from trenova_errors import ConfigurationError, UnavailableError
from trenova_errors.connecting import connect_config, connected, installed_plugins


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


async def test_a_server_without_tls_is_told_as_such():
    async def answer(_, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as plain:
        address = f"127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"lets us in: it does not speak TLS\. .*TEMPORAL_TLS=false"):
            await connected(connect_config({"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS": "true"}))


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


async def test_nobody_there_is_told_in_the_words_of_the_system():
    with pytest.raises(
        UnavailableError, match=r"'127\.0\.0\.1:1' lets us in: Connection refused\. Start one"
    ) as caught:
        await connected(connect_config({"TEMPORAL_ADDRESS": "127.0.0.1:1"}))
    assert caught.value.facts == {"address": "127.0.0.1:1"}


@pytest.mark.parametrize("tls", ["false", "0"])
def test_an_api_key_does_not_leave_the_machine_in_clear(tls):
    away = {"TEMPORAL_ADDRESS": "tms.example:7233", "TEMPORAL_API_KEY": "hunter2", "TEMPORAL_TLS": tls}
    with pytest.raises(ConfigurationError, match=r"would be sent to 'tms\.example:7233' in clear") as caught:
        connect_config(away)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("address", ["127.0.0.1:7233", "[::1]:7233", "localhost:7233"])
def test_on_this_machine_it_may(address):
    config = connect_config({"TEMPORAL_ADDRESS": address, "TEMPORAL_API_KEY": "hunter2", "TEMPORAL_TLS": "false"})

    assert config["api_key"] == "hunter2"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is installed and names an entry point of the group ``trenova.client_plugins``."""

    def install(value: str) -> None:
        info = tmp_path / "neighbour-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: neighbour\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[trenova.client_plugins]\ntheirs = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return install


@pytest.mark.parametrize("value", ["no_such_module:plugin", "json:no_such_function"])
def test_a_plugin_that_cannot_be_loaded_is_told_with_its_package(package, value):
    package(value)

    with pytest.raises(ConfigurationError, match=f"neighbour names '{value}' as its 'theirs'"):
        installed_plugins({"TRENOVA_CODECS_PLAIN": "1"})
