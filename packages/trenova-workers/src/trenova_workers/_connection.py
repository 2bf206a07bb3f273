"""The connection to Temporal: `temporalio.envconfig` and nothing else decides where it goes."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_workers._leave import settle_at_exit
from trenova_workers._not_reached import not_reached
from trenova_workers._provenance import masked_text

DEFAULT_ADDRESS = "localhost:7233"
"""Where a Temporal server listens unless told otherwise."""

_CONNECT_TIMEOUT = timedelta(seconds=10)
# An error of TOML shows the line of the file, and the value that does not fit: both may be a key.
_QUOTED_LINE = re.compile(r"\d*\s*\|")
_QUOTED_VALUE = re.compile(r"(invalid (?:type|value): [a-z ]+?) (?:\"[^\"]*\"|`[^`]*`)")

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^@]*@)?([^/?#]*)")


class NotReachedError(ConfigurationError):
    """No server lets us in; one that starts may."""


def connect_config(environ: Mapping[str, str]) -> ClientConnectConfig:
    """Read profile files and ``TEMPORAL_*`` variables; address and namespace are always set.

    Raises:
        ConfigurationError: The named file or profile does not exist or cannot be read, or the address
            has a scheme. (Left to itself the SDK takes a missing file for an empty one and connects to
            localhost.)
    """
    file = environ.get("TEMPORAL_CONFIG_FILE")
    if file and not Path(file).exists():
        raise ConfigurationError(f"TEMPORAL_CONFIG_FILE names {file!r}, which does not exist. Correct it or unset it.")
    profile = environ.get("TEMPORAL_PROFILE")
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=dict(environ))
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        of = f"the profile {profile!r}" if profile else "the configuration"
        source = f" of {file!r}" if file else ""
        raise ConfigurationError(
            f"Temporal: {of}{source} cannot be used: {told(error)}. Correct TEMPORAL_PROFILE, "
            "TEMPORAL_CONFIG_FILE or the file."
        ) from None
    config.setdefault("target_host", DEFAULT_ADDRESS)
    config.setdefault("namespace", "default")
    _require_plain(config["target_host"])
    return config


def _require_plain(address: str) -> None:
    if scheme := _SCHEME.match(address):
        raise ConfigurationError(
            f"The Temporal address {masked_text(address)!r} is a URL. Write {scheme[1]!r} in its place, as "
            "TEMPORAL_ADDRESS or in the profile; TLS is TEMPORAL_TLS=true."
        )


def told(error: Exception) -> str:
    """Return what the SDK says of a profile file on one line, without the lines of the file that it quotes."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not _QUOTED_LINE.match(line)]
    return _QUOTED_VALUE.sub(r"\1", ": ".join(kept)).rstrip(".")


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
        client = await Client.connect(
            **config,
            identity=identity,
            plugins=plugins,
            runtime=runtime,
            connect_timeout=_CONNECT_TIMEOUT,
        )
    except (RuntimeError, ValueError, RPCError) as error:
        why, mend = not_reached(error, config)
        raise NotReachedError(f"No Temporal server at {address!r} lets us in: {why}. {mend}", address=address) from None
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
