"""Loopback ports: choosing free ones and refusing taken ones by name."""

import errno
import random
import socket

from trenova_workers._up._options import LOOPBACK, UpError

# Below what Linux (32768 on) and others (49152 on) give to outgoing connections, which would otherwise take a port
# between the moment that it is chosen and the moment that its server listens.
_CHOSEN_FROM = range(20_000, 32_768)
_TRIES = 100


def free_ports(count: int) -> list[int]:
    """``count`` different ports that nobody listens on at this moment."""
    held: list[socket.socket] = []
    try:
        held.extend(_bound() for _ in range(count))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _bound() -> socket.socket:
    one = socket.socket()
    for port in random.sample(_CHOSEN_FROM, _TRIES):
        try:
            one.bind((LOOPBACK, port))
        except OSError:
            continue
        return one
    one.bind((LOOPBACK, 0))
    return one


def claim(port: int, option: str, what: str, *, sign: str = " ") -> int:
    """``port`` if it is free, a free one for 0; ``sign`` stands between the option and its value.

    Raises:
        UpError: Somebody listens there, or this user may not; names the port and the option.
    """
    if port == 0:
        return free_ports(1)[0]
    asked = f"{option}=PORT" if sign == "=" else option
    with socket.socket() as trial:
        # As the server binds: a connection in TIME_WAIT is no obstacle, a listener is.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"is taken{_holder(port)}"
            else:
                reason = f"cannot be used ({error.strerror})"
            raise UpError(
                f"Port {port} for {what} {reason}. Choose another with {asked}, or a free one with {option}{sign}0."
            ) from None
    return port


def _holder(port: int) -> str:
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return f" by pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        pass  # another user's process may not be looked at
    return ""
