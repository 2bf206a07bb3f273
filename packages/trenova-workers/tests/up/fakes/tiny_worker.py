"""A real worker in fifty lines: Temporal, readiness, drain."""

# ruff: noqa: T201  # a program: it prints

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta

QUEUE = "tiny-queue"


async def run():
    from aiohttp import web
    from temporalio.client import Client
    from temporalio.envconfig import ClientConfig
    from temporalio.worker import Worker
    from tiny_workflows import Patient, greet

    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    ready = False

    async def answer(_request):
        return web.json_response({"reason": None}, status=200 if ready else 503)

    application = web.Application()
    application.router.add_get("/readyz", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["TRENOVA_HEALTH__PORT"])).start()
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Patient],
        activities=[greet],
        graceful_shutdown_timeout=timedelta(seconds=5),
    ):
        ready = True
        await stopping.wait()
    await runner.cleanup()


async def demo(token):
    from temporalio.client import Client
    from temporalio.envconfig import ClientConfig

    client = await Client.connect(**ClientConfig.load_client_connect_config())
    handle = await client.start_workflow("Patient", "demo", id=f"demo/{token}", task_queue=QUEUE)
    await handle.signal("go")
    found = await handle.result()
    event = {"event": "check", "name": "greeting", "expected": "hello demo", "actual": found}
    print(json.dumps(event | {"ok": found == "hello demo"}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["config", "show", "--json"]:
            print(json.dumps({"service": "tiny-worker", "queues": [QUEUE], "demo_order": 0}))
        case ["run"]:
            asyncio.run(run())
        case ["demo", "--token", token, "--json"]:
            asyncio.run(demo(token))
    sys.stdout.flush()
    # A thread of the SDK may still be at work, and crashes the interpreter if it finds it half gone.
    os._exit(0)
