"""Connect to Temporal where ``temporalio.envconfig`` says, with what goes wrong on the way in words.

For command line tools and services::

    config = connect_config(os.environ)
    client = await connected(config, plugins=[ErrorsPlugin(), *installed_plugins(os.environ)])
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from trenova_errors._not_reached import not_reached
from trenova_errors._types import ConfigurationError, UnavailableError

__all__ = [
    "CONNECT_TIMEOUT",
    "DEFAULT_ADDRESS",
    "connect_config",
    "connected",
    "installed",
    "installed_plugins",
    "profile_fault",
]

DEFAULT_ADDRESS: Final = "localhost:7233"
"""Where a Temporal server listens unless told otherwise."""
CONNECT_TIMEOUT: Final = timedelta(seconds=10)
"""How long a server may take to let us in."""

_PLUGINS: Final = "trenova.client_plugins"
# An error of TOML shows the line of the file, and the value that does not fit: both may be a key.
_QUOTED_LINE: Final = re.compile(r"\d*\s*\|")
_QUOTED_VALUE: Final = re.compile(r"(invalid (?:type|value): [a-z ]+?) (?:\"[^\"]*\"|`[^`]*`)")
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^@]*@)?([^/?#]*)")


def connect_config(environ: Mapping[str, str]) -> ClientConnectConfig:
    """Read profile files and ``TEMPORAL_*`` variables; address and namespace are always set.

    Raises:
        ConfigurationError: The named file or profile does not exist or cannot be read, the address has a scheme, or an
            API key would leave this machine in clear. (Left to itself the SDK takes a missing file for an empty one
            and connects to localhost, and sends the key.)
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
            f"Temporal: {of}{source} cannot be used: {profile_fault(error)}. Correct TEMPORAL_PROFILE, "
            "TEMPORAL_CONFIG_FILE or the file."
        ) from None
    config.setdefault("target_host", DEFAULT_ADDRESS)
    config.setdefault("namespace", "default")
    _require_plain(config["target_host"])
    _require_sealed_key(config)
    return config


def profile_fault(error: Exception) -> str:
    """Return what the SDK says of a profile file on one line, without the lines of the file that it quotes."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not _QUOTED_LINE.match(line)]
    return _QUOTED_VALUE.sub(r"\1", ": ".join(kept)).rstrip(".")


async def connected(config: ClientConnectConfig, **options: Any) -> Client:
    """Connect.

    Args:
        config: Of :func:`connect_config`.
        options: What else ``Client.connect`` takes, e.g. ``plugins`` and ``identity``.

    Raises:
        UnavailableError: No server lets us in within :data:`CONNECT_TIMEOUT`; the message says why and what to do.
    """
    try:
        return await Client.connect(**config, connect_timeout=CONNECT_TIMEOUT, **options)
    except (RuntimeError, ValueError, RPCError) as error:
        why, mend = not_reached(error, config)
        address = config["target_host"]
        raise UnavailableError(
            f"No Temporal server at {address!r} lets us in: {why}. {mend}", address=address
        ) from None


def installed(group: str) -> dict[str, Any]:
    """Return what installed packages name as entry points of a group, by the names that they give.

    Raises:
        ConfigurationError: One of them cannot be loaded, e.g. for want of an extra of its package.
    """
    found: dict[str, Any] = {}
    for point in entry_points(group=group):
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            package = point.dist.name if point.dist else "a package"
            raise ConfigurationError(
                f"{package} names {point.value!r} as its {point.name!r} of {group}, which cannot be loaded: {error}. "
                "Install what it needs, or take the package out."
            ) from error
    return found


def installed_plugins(environ: Mapping[str, str]) -> list[Plugin]:
    """Return what installed packages add to a client, such as the codec that the workers use.

    An entry point of the group ``trenova.client_plugins`` is a function that takes the environment and returns a
    plugin, or None where it has nothing to do.

    Raises:
        ConfigurationError: One cannot be loaded.
    """
    made = [plugin(environ) for plugin in installed(_PLUGINS).values()]
    return [plugin for plugin in made if plugin is not None]


def _require_plain(address: str) -> None:
    if scheme := _SCHEME.match(address):
        raise ConfigurationError(
            f"The Temporal address is a URL. Write {scheme[1]!r} in its place, as TEMPORAL_ADDRESS or in the profile; "
            "TLS is TEMPORAL_TLS=true."
        )


def _require_sealed_key(config: ClientConnectConfig) -> None:
    if config.get("api_key") and not config.get("tls") and not _is_loopback(config["target_host"]):
        raise ConfigurationError(
            f"The API key would be sent to {config['target_host']!r} in clear, since TLS is switched off. Unset "
            "TEMPORAL_TLS, or take the key (TEMPORAL_API_KEY) out."
        )


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
