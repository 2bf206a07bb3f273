"""Serving with uvicorn: until the process is asked to stop, or for the length of a block."""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from trenova_access.serving._options import ListenOptions

_LOOK_S: Final = 0.02


async def run_until_told(app: ASGIApp, options: ListenOptions, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    Args:
        app: What answers; it has no lifespan.
        options: TLS, proxies, and how long to wait for what is being answered.
        listener: Of :func:`listening`; it is the caller's to close.
    """
    with _no_second_signal():
        await uvicorn.Server(_config(app, options)).serve(sockets=[listener])


@asynccontextmanager
async def running(app: ASGIApp, options: ListenOptions, listener: socket.socket) -> AsyncIterator[None]:
    """Serve for the length of a block, then finish what is being answered; it answers when the block begins.

    Signals are the caller's: nothing here listens to them. The arguments are those of :func:`run_until_told`.
    """
    server = _QuietServer(_config(app, options))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(_LOOK_S)
        yield
    finally:
        server.should_exit = True
        await serving


class _QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See base class."""
        yield


@contextmanager
def _no_second_signal() -> Iterator[None]:
    """Keep the signal that uvicorn raises again after it has stopped from ending the process on the spot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _config(app: ASGIApp, options: ListenOptions) -> uvicorn.Config:
    tls: dict[str, Any] = {}
    if options.tls_certificate and options.tls_key:
        tls = {"ssl_certfile": str(options.tls_certificate), "ssl_keyfile": str(options.tls_key)}
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        timeout_graceful_shutdown=max(1, round(options.stop_s)),
        timeout_keep_alive=30,
        **tls,
    )
