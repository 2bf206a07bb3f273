"""Names of hosts: which are this machine alone, and which this server answers to."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from trenova_access._errors import AccessConfigurationError


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address, with or without brackets) can only be reached from this machine."""
    bare = host.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def require_safe_bind(host: str, *, tokens: bool, encrypted: bool) -> None:
    """Refuse to listen where others can reach a server that does not ask who they are, or is asked in clear.

    Args:
        host: Where the server is about to listen.
        tokens: Whether callers of other machines prove who they are: ``AccessOptions.proves_callers``.
        encrypted: Whether it speaks TLS itself, or its operator says that a proxy in front of it does.

    Raises:
        AccessConfigurationError: ``host`` is not loopback, and one of the two is missing.
    """
    if is_loopback(host):
        return
    missing = [
        what
        for given, what in (
            (tokens, "JWT verification (issuer, audience, JWKS), API tokens or OIDC"),
            (encrypted, "TLS, by a certificate of its own or by the statement that a proxy in front terminates it"),
        )
        if not given
    ]
    if missing:
        raise AccessConfigurationError(
            f"Listening on {host!r} lets other machines in; that needs {' and '.join(missing)}. "
            "Give what is missing, or listen on 127.0.0.1."
        )


def names_host(header: str, allowed: Collection[str]) -> bool:
    """Whether a Host header names one of ``allowed``; an entry without a port stands for every port."""
    value = header.lower()
    if value in allowed:
        return True
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port
    except ValueError:
        return False
    if parts.netloc != value or parts.username is not None or not parts.hostname:
        return False
    bare = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return bare in allowed
