"""The address of a server, taken before anybody is told of it."""

import socket
from typing import Final

from trenova_access.serving._options import ListenOptions
from trenova_errors import ConfigurationError

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # told by another address, not listened on


def listening(options: ListenOptions, *, server: str = "The server") -> socket.socket:
    """Listen on the address of the options; close what is returned.

    Args:
        options: Where.
        server: What to call it in a message.

    Raises:
        ConfigurationError: The address is none of this machine's, or taken.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host.strip("[]"), options.port), family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a host"
        raise ConfigurationError(
            f"{server} cannot listen on {options.host}, port {options.port}: {why}. Choose another address of this "
            "machine or another port; 0 takes a free one.",
            host=options.host,
            port=options.port,
        ) from None


def server_url(options: ListenOptions, listener: socket.socket) -> str:
    """Return the address of a server that listens, as ``http://127.0.0.1:8080``.

    One that listens on every address is told by loopback's, because ``0.0.0.0`` and ``[::]`` are nothing to go to.
    """
    scheme = "https" if options.tls_certificate else "http"
    bare = options.host.strip("[]")
    bare = _EVERYWHERE.get(bare, bare)
    host = f"[{bare}]" if ":" in bare else bare
    return f"{scheme}://{host}:{listener.getsockname()[1]}"
