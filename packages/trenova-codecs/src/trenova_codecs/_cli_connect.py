"""How commands reach Temporal: ``temporalio.envconfig`` decides where, options only name the namespace."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError, InvalidInputError, UnavailableError

_DEFAULT_ADDRESS = "localhost:7233"
_CONNECT_TIMEOUT = timedelta(seconds=10)
_TOML = re.compile(r"TOML parse error at line \d+, column \d+")  # what follows shows the line: maybe the API key
_CAUSE = re.compile(r'(?:message|error): "([^"]+)"')
"""The operating system's own words inside of what the SDK's transport says."""


async def connect_all(environ: Mapping[str, str], namespaces: Sequence[str]) -> list[Client]:
    """Connect to each namespace, or to the one that the profile names; without codec, as the server stores it.

    Raises:
        InvalidInputError: The name of a namespace is empty.
        ConfigurationError: The profile cannot be read.
        UnavailableError: The server does not answer or refuses us.
    """
    config = _config(environ)
    if "" in namespaces:
        raise InvalidInputError("--namespace is empty. Name one, or leave it out for that of the profile.")
    return [await _connect(config, name) for name in dict.fromkeys(namespaces or [config["namespace"]])]


def refused(client: Client, error: RPCError, happened: str, *, then: str = "") -> ApplicationError:
    """Return what a command says when the server refused a request.

    Args:
        client: Of the namespace.
        error: What came back.
        happened: What the namespace did, e.g. ``does not answer``.
        then: What to know or do, in sentences.
    """
    if any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details):
        return ConfigurationError(
            f"The server at {client.service_client.config.target_host!r} has no namespace {client.namespace!r}. Name "
            "another with --namespace or TEMPORAL_NAMESPACE.",
            namespace=client.namespace,
        )
    said = f"Namespace {client.namespace!r} {happened}: {reason(error)}."
    return UnavailableError(f"{said} {then}".strip())


def reason(error: RPCError) -> str:
    """Return what the server said, without a full stop of its own."""
    return error.message.strip().rstrip(".")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(". ")


def _config(environ: Mapping[str, str]) -> ClientConnectConfig:
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=dict(environ))
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        place = _TOML.search(str(error))
        raise ConfigurationError(
            f"The Temporal profile cannot be used: {place[0] if place else _one_line(error)}. Correct "
            "TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or the file."
        ) from None
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    config.setdefault("namespace", "default")
    return config


async def _connect(config: ClientConnectConfig, namespace: str) -> Client:
    wanted = ClientConnectConfig(**{**config, "namespace": namespace})
    address = config["target_host"]
    try:
        return await Client.connect(**wanted, identity="trenova-codecs", connect_timeout=_CONNECT_TIMEOUT)
    except (RuntimeError, ValueError, RPCError) as error:
        said = reason(error) if isinstance(error, RPCError) else _one_line(error)
        cause = found[1] if (found := _CAUSE.search(said)) else said
        raise UnavailableError(
            f"No Temporal server at {address!r} lets us in: {cause}. Correct TEMPORAL_ADDRESS or the profile that "
            "TEMPORAL_PROFILE names.",
            address=address,
        ) from None
