"""How commands reach Temporal: ``temporalio.envconfig`` decides where, options only name the namespace."""

from collections.abc import Mapping, Sequence

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError, InvalidInputError, UnavailableError
from trenova_errors.connecting import connect_config, connected


async def connect_all(environ: Mapping[str, str], namespaces: Sequence[str]) -> list[Client]:
    """Connect to each namespace, or to the one that the profile names; without codec, as the server stores it.

    Raises:
        InvalidInputError: The name of a namespace is empty.
        ConfigurationError: The profile cannot be read.
        UnavailableError: The server does not answer or refuses us.
    """
    config = connect_config(environ)
    if "" in namespaces:
        raise InvalidInputError("--namespace is empty. Name one, or leave it out for that of the profile.")
    names = dict.fromkeys(namespaces or [config["namespace"]])
    wanted = [ClientConnectConfig(**{**config, "namespace": name}) for name in names]
    return [await connected(one, identity="trenova-codecs") for one in wanted]


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
