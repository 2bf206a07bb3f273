"""A worker of the plain SDK: ``one_worker.py {"address": ..., "queue": ..., "identity": ..., ...}``."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker, WorkerDeploymentConfig

from trenova_workers import RegistrationsPlugin

ACTIVITIES = {}


def named(name):
    @activity.defn(name=name)
    async def rest(seconds: float) -> None:
        await asyncio.sleep(seconds)

    return rest


@workflow.defn(name="Rest", sandboxed=False)
class Rest:
    @workflow.run
    async def run(self, seconds: float) -> None:
        await workflow.execute_activity("rest", seconds, start_to_close_timeout=timedelta(seconds=60))


async def main(told):
    interval = told.get("heartbeat_s")
    runtime = Runtime(
        telemetry=TelemetryConfig(),
        worker_heartbeat_interval=timedelta(seconds=interval) if interval else None,
    )
    plugins = [RegistrationsPlugin()] if told.get("tells", True) else []
    client = await Client.connect(told["address"], identity=told["identity"], runtime=runtime, plugins=plugins)
    version = WorkerDeploymentVersion(told.get("service", "rest-worker"), told.get("build", "1.0"))
    worker = Worker(
        client,
        task_queue=told["queue"],
        workflows=[Rest],
        activities=[named(name) for name in told.get("activities", ["rest"])],
        deployment_config=WorkerDeploymentConfig(version=version, use_worker_versioning=False),
        graceful_shutdown_timeout=timedelta(seconds=20),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with worker:
        sys.stdout.write("polling\n")
        sys.stdout.flush()
        await stop.wait()


asyncio.run(main(json.loads(sys.argv[1])))
os._exit(0)  # the SDK's threads may abort an interpreter that finalizes
