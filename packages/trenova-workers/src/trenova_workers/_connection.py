"""The connection to Temporal: `temporalio.envconfig` and nothing else decides where it goes."""

from collections.abc import Sequence

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError, UnavailableError
from trenova_errors.connecting import connected
from trenova_workers._leave import settle_at_exit


class NotReachedError(ConfigurationError):
    """No server lets us in; one that starts may."""


async def connect(
    config: ClientConnectConfig,
    *,
    identity: str,
    plugins: Sequence[Plugin] = (),
    runtime: Runtime | None = None,
) -> Client:
    """Connect, and make sure that the namespace is there.

    Raises:
        NotReachedError: The server does not answer, or refuses us.
        ConfigurationError: The server lacks the namespace.
    """
    settle_at_exit()
    address, namespace = config["target_host"], config["namespace"]
    try:
        client = await connected(config, identity=identity, plugins=plugins, runtime=runtime)
    except UnavailableError as error:
        raise NotReachedError(error.message, address=address) from None
    await _require_namespace(client, address, namespace)
    return client


async def _require_namespace(client: Client, address: str, namespace: str) -> None:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise ConfigurationError(
                f"The Temporal server at {address!r} has no namespace {namespace!r}. Create it "
                f"('temporal operator namespace create -n {namespace}') or correct TEMPORAL_NAMESPACE.",
                namespace=namespace,
            ) from None
        if error.status != RPCStatusCode.PERMISSION_DENIED:  # a worker may poll and yet not describe
            raise ConfigurationError(
                f"The Temporal server at {address!r} hides namespace {namespace!r}: {error.message.rstrip('.')}. "
                "Give this identity the right to describe it, or correct TEMPORAL_NAMESPACE.",
                namespace=namespace,
            ) from None
