"""What healthy services count rarely, counted once by the same instruments: ``python rare_metrics.py worker|server``.

``worker`` exports as a worker does, through the SDK's runtime; ``server`` as our web servers do. Prints where.
"""

import asyncio
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_access._audit import AuditEvent, count, count_refusal
from trenova_access.serving import expose_metrics
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_standing import Standing
from trenova_codecs._pipeline import _errors as codec_errors
from trenova_codecs._plaintext import _accepted as plaintext
from trenova_codecs._sdk_log import _counter as undecoded
from trenova_codecs._usage import counter as key_counter
from trenova_codecs.server._audit import CodecEvent
from trenova_codecs.server._metrics import ServerMetrics
from trenova_errors._metrics import FailureCounters
from trenova_schedules._tick import Tick
from trenova_schedules.ledger._metrics import LedgerMetrics
from trenova_workers import MetricsOptions, WorkerOptions
from trenova_workers._tuning._telemetry import make_telemetry
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool.store import PoolPhase, PoolState


async def worker(address: str) -> None:
    telemetry = make_telemetry(
        WorkerOptions(metrics=MetricsOptions(exporter="prometheus")),
        {"service": "rare-worker", "host": "h", "pid": "1"},
    )
    meter = telemetry.runtime.metric_meter.with_additional_attributes({"task_queue": "rare-queue"})
    failures = FailureCounters(meter)
    failures.failed("rare", "data_integrity", final=True)
    failures.unclassified("rare", "OddError")
    nightly = NightlyMetrics(meter, "rare")
    nightly.batch(0.2, rows=10)
    nightly.refused()
    nightly.standing(Standing(eligible=1, oldest_at=1, rows_per_second=2.0, eta_seconds=3, batch_size=4), at=5)
    nightly.growing()
    ledger, now = LedgerMetrics(), datetime.now(UTC)
    tick = {"schedule_id": "rare", "at": now, "observed_at": now}
    ledger.settled("rare", [Tick(**tick, state="real_miss"), Tick(**tick, state="late", started_at=now)])
    ledger.standing("rare", failing=True)
    ledger.told("failing")
    codec_errors.add(1, {"code": "codec.unknown_key", "side": "worker"})
    undecoded.add(1, {"code": "codec.unknown_key", "task": "workflow task"})
    plaintext.add(1)
    key_counter("k1", "compat").messages = 1
    delivered = meter.with_additional_attributes({"channel": "email", "outcome": "dead"})
    delivered.create_counter("trenova_notification_deliveries").add(1)
    client = await Client.connect(address, runtime=telemetry.runtime)
    with suppress(RPCError):
        await client.get_workflow_handle("nothing").describe()
    sys.stdout.write(f"{telemetry.metrics}\n")
    sys.stdout.flush()


def server() -> None:
    from prometheus_client import start_http_server

    expose_metrics()
    pools = PoolMetrics()
    pools.leads = True
    state = {"fence": 1, "build": "1", "why": "", "written": 1, "updated_at": datetime.now(UTC)}
    pools.show(PoolState(pool="rare", phase=PoolPhase.STEADY, desired=1, counts={"running": 1}, **state))
    pools.count("rare", starts=1, drains=1, crashes=1)
    event = {"subject": "s", "method": "m", "payloads": 1, "size_in": 1, "size_out": 1, "key_ids": ()}
    ServerMetrics().count(CodecEvent(operation="decode", namespace="default", outcome="done", **event), 0.1)
    count(AuditEvent(action="sign_in"))
    count_refusal("denied", "token")
    answering, _ = start_http_server(0, "127.0.0.1")
    sys.stdout.write(f"http://127.0.0.1:{answering.server_port}/metrics\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        asyncio.run(worker(sys.argv[2]))
    else:
        server()
    time.sleep(600)
