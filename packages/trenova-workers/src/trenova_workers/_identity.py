"""Who this process is, as Temporal's pollers, its logs and its health answers show it."""

import os
import secrets
import socket


def make_identity(service: str) -> str:
    """Return ``service@host:pid#instance``.

    The instance part is new for each call, because a restarted container has the host and the pid
    of the one before, and the server lists pollers for minutes after they are gone.
    """
    return f"{service}@{socket.gethostname()}:{os.getpid()}#{secrets.token_hex(3)}"
