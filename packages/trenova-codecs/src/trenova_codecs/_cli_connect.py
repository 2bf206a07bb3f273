"""How commands reach Temporal: ``temporalio.envconfig`` decides where, options only name the namespace."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from trenova_errors import ConfigurationError, UnavailableError

_DEFAULT_ADDRESS = "localhost:7233"
_CONNECT_TIMEOUT = timedelta(seconds=10)


async def connect_all(environ: Mapping[str, str], namespaces: Sequence[str]) -> list[Client]:
    """Connect to each namespace, or to the one that the profile names; without codec, as the server stores it.

    Raises:
        ConfigurationError: The profile cannot be read.
        UnavailableError: The server does not answer or refuses us.
    """
    config = _config(environ)
    return [await _connect(config, name) for name in namespaces or [config["namespace"]]]


def _config(environ: Mapping[str, str]) -> ClientConnectConfig:
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=dict(environ))
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise ConfigurationError(
            f"The Temporal profile cannot be used: {error}. Correct TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or the file."
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
        reason = error.message if isinstance(error, RPCError) else str(error)
        raise UnavailableError(
            f"No Temporal server at {address!r} lets us in: {reason.strip().rstrip('.')}. Correct TEMPORAL_ADDRESS or "
            "the profile that TEMPORAL_PROFILE names.",
            address=address,
        ) from None
