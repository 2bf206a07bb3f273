"""Whether a manager works, for the probes of a node: no sign-in, and nothing is told but that."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers.pool._manager import PoolManager
from trenova_workers.pool.store import PoolStore

STALLED_S: Final = 120.0
"""A manager whose loop has not turned for so long does not live."""


@asynccontextmanager
async def answering_health(manager: PoolManager, store: PoolStore, host: str, port: int) -> AsyncIterator[str]:
    """Answer ``/livez`` and ``/readyz`` for the length of a block; yields the address.

    ``/livez`` is 200 while the manager's loop turns, also of one that waits for the lease. ``/readyz`` is 200 while the
    database answers too. Both tell ``{"acts": bool}``, else 503 and why.

    Args:
        manager: Asked when it last turned.
        store: Asked whether it answers.
        host: Address to listen on.
        port: 0 for a free one.

    Raises:
        ConfigurationError: Nobody can listen there.
    """

    def answer(why: str) -> web.Response:
        told = {"acts": manager.leads.is_set(), **({"why": why} if why else {})}
        return web.json_response(told, status=503 if why else 200)

    def stalled() -> str:
        still = time.monotonic() - manager.turned_at
        return f"The manager has not looked at anything for {still:.0f} s." if still > STALLED_S else ""

    async def livez(_: web.Request) -> web.Response:
        return answer(stalled())

    async def readyz(_: web.Request) -> web.Response:
        try:
            await store.states.now()
        except ApplicationError:
            return answer("The database does not answer.")
        return answer(stalled())

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"Health cannot be answered at {host}:{port}: {error.strerror or error}. Choose another --health-port, or "
            "0 for a free one."
        ) from None
    bound = runner.addresses[0]
    try:
        yield f"http://{f'[{bound[0]}]' if ':' in str(bound[0]) else bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()
