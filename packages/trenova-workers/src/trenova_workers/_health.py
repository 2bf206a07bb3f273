"""Liveness and readiness over HTTP."""

from typing import Any, Self

from aiohttp import web

from trenova_errors import ConfigurationError
from trenova_workers._loop_lag import LoopLag
from trenova_workers._options import HealthOptions
from trenova_workers._readiness import Readiness, Report, State


class HealthServer:
    """Answers ``/livez`` (200 while the event loop turns) and ``/readyz`` (200 or 503).

    Both answer a `Report`: ``service``, ``identity``, its parts ``host``, ``pid``, ``instance`` and ``build_id``,
    ``queues`` (``{queue: state}``), ``state`` and ``reason``; and ``event_loop_lag_s``.
    """

    def __init__(self, options: HealthOptions, readiness: Readiness, lag: LoopLag) -> None:
        self._options = options
        self._readiness = readiness
        self._lag = lag
        self._runner: web.AppRunner | None = None
        self.url = ""
        """Where it listens, e.g. ``http://127.0.0.1:41234``; empty before it is entered."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        host, port = self._options.host, self._options.port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigurationError(
                f"Health cannot be answered at {host}:{port}: {error.strerror or error}. Set health.port "
                "to a free port, or to 0 for any."
            ) from None
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in str(bound[0]) else bound[0]
        self.url = f"http://{shown}:{bound[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response(self._with_lag(self._readiness.last()))

    async def _readyz(self, _: web.Request) -> web.Response:
        report = await self._readiness.look()
        return web.json_response(self._with_lag(report), status=200 if report["state"] == State.READY else 503)

    def _with_lag(self, report: Report) -> dict[str, Any]:
        return {**report, "event_loop_lag_s": round(self._lag.worst(), 3)}
