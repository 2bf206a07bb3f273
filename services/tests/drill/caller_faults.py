"""What others do to us: receivers that refuse, runs that are told too much, callers who ask too often."""

import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fault import Fault
from job_faults import BrokenRelease
from service_processes import free_port
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig, TelemetryFilter

TOO_MUCH = 6_000_000
"""Bytes of one request; the server takes 4 MiB."""


class Refusing:
    """A receiver of webhooks that wants none of them, until it is told to."""

    def __init__(self) -> None:
        self.status = 400
        refusing = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(refusing.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing of it on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class NotificationsGivenUp(Fault):
    alert = "TrenovaNotificationsGivenUp"
    what = "The receiver of a webhook refuses every notification."
    mitigation = "Mend the channel, then `trenova-activities notifications redeliver`."

    async def inject(self) -> None:
        self.receiver = Refusing()
        endpoint = {
            "url": self.receiver.url,
            "secret": "a secret of the drill, as long as it must be",
            "allowed_networks": ["127.0.0.0/8"],
            "plain_http": True,
        }
        webhooks = {"endpoints": {"drill": endpoint}}
        await self.site.restart("notification_worker", NOTIFICATION_WORKER_CHANNELS__WEBHOOK=json.dumps(webhooks))
        for handle in await self.site.duplicate(2):
            await handle.result()

    async def mend(self) -> None:
        self.receiver.status = 204
        listed = await self.site.command("trenova-activities", "notifications", "list", "--state", "dead", "--json")
        why = ("--by", "drill", "--reason", "the receiver is mended")
        for delivery in json.loads(listed):
            await self.site.command("trenova-activities", "notifications", "redeliver", delivery["key"], *why)

    async def done(self) -> None:
        await self.site.restart("notification_worker")
        self.receiver.close()


class HistoryNearsLimit(BrokenRelease):
    alert = "TrenovaHistoryNearsLimit"
    what = "A run is sent more than 30 MB of signals."
    mitigation = "Pause the job and start it anew where it can go on"
    kind = "told"
    workflow = "DrillTold"

    async def inject(self) -> None:
        await super().inject()
        for _ in range(24):
            await self.handle.signal("drill.more", os.urandom(1_400_000).hex())
            await asyncio.sleep(0.2)


class ServerRefusesWork(Fault):
    alert = "TrenovaServerRefusesWork"
    what = "A caller asks for more in one request than the server takes."
    mitigation = "Pause the backfill or the bulk job that floods it."

    async def inject(self) -> None:
        port = free_port()
        exporter = PrometheusConfig(bind_address=f"127.0.0.1:{port}", counters_total_suffix=True)
        quiet = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
        runtime = Runtime(telemetry=TelemetryConfig(metrics=exporter, logging=quiet))
        self.client = await Client.connect(self.site.server.address, runtime=runtime)
        self.target = self.watch.targets / "caller.json"
        target = {"targets": [f"127.0.0.1:{port}"], "labels": {"service": "caller"}}
        self.target.write_text(json.dumps([target]))
        self.keep(self._ask)

    async def _ask(self) -> None:
        asked = asyncio.ensure_future(
            self.client.start_workflow("Nobody", "x" * TOO_MUCH, id="drill/large", task_queue="drill-nobody")
        )
        await asyncio.wait([asked], timeout=2)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await asyncio.sleep(1)

    async def mend(self) -> None:
        await self.stop()

    async def done(self) -> None:
        self.target.unlink()


FAULTS = (NotificationsGivenUp, HistoryNearsLimit, ServerRefusesWork)
