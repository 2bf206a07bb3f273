import asyncio
import socket
import uuid

import httpx
import pytest
from aiohttp import web
from sample_worker.__main__ import SERVICE
from sample_worker._jobs import Sample
from sample_worker._settings import Settings
from sample_worker.waiting import eventually_awaited

from trenova_errors import ConfigurationError
from trenova_workers import MetricsOptions, WorkerOptions, run
from trenova_workers._tuning._telemetry import make_telemetry


async def test_metrics_are_pushed_to_a_collector(server):
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await received.put(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/metrics", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    metrics = MetricsOptions(
        exporter="otlp", otlp_url=f"http://127.0.0.1:{port}/v1/metrics", otlp_protocol="http", otlp_interval_s=0.2
    )
    settings = Settings(queue=f"pushed-{uuid.uuid4().hex[:8]}", worker=WorkerOptions(metrics=metrics, build_id="4.2"))
    stop = asyncio.Event()
    connection = {"target_host": server.address, "namespace": "default"}
    running = asyncio.create_task(run(SERVICE, settings, connection=connection, stop=stop))
    wanted = {b"temporal_worker_task_slots_available", b"trenova_workers_event_loop_lag_seconds"}
    async with asyncio.timeout(30):
        pushed = await received.get()
        while not all(name in pushed for name in wanted):
            pushed = await received.get()
    stop.set()
    await running
    await runner.cleanup()

    assert b"sample-worker" in pushed
    assert b"4.2" in pushed


def test_a_port_for_scrapes_that_is_taken_is_refused_with_the_key_to_change():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = WorkerOptions(metrics=MetricsOptions(exporter="prometheus", port=port))

        with pytest.raises(ConfigurationError) as caught:
            make_telemetry(options, {})
    assert f"Metrics cannot be answered at 127.0.0.1:{port}" in caught.value.message
    assert "worker.metrics.port" in caught.value.message


def test_a_host_that_is_not_ours_is_refused_with_the_key_to_change():
    options = WorkerOptions(metrics=MetricsOptions(exporter="prometheus", host="203.0.113.1"))

    with pytest.raises(ConfigurationError, match=r"203\.0\.113\.1:0: .* Correct worker\.metrics\.host"):
        make_telemetry(options, {})


async def test_what_we_measure_is_on_the_scrape_beside_what_the_sdk_measures(server, client, caplog):
    metrics = MetricsOptions(exporter="prometheus", prefix="site_")
    options = WorkerOptions(metrics=metrics, build_id="4.2", tuner={"kind": "resizable"})
    settings = Settings(queue=f"scraped-{uuid.uuid4().hex[:8]}", worker=options)
    stop = asyncio.Event()
    connection = {"target_host": server.address, "namespace": "default"}
    with caplog.at_level("INFO"):
        running = asyncio.create_task(run(SERVICE, settings, connection=connection, stop=stop))
        await eventually_awaited(lambda: _said(caplog, "polling"))
        url = (await _said(caplog, "starting")).metrics

    lag = "trenova_workers_event_loop_lag_seconds{"
    failing = await client.start_workflow(
        Sample.run, args=["sample.fail", "it"], id=settings.queue, task_queue=settings.queue
    )

    async def measured():
        async with httpx.AsyncClient() as http:
            lines = (await http.get(url)).text.splitlines()
        names = (lag, "trenova_errors_failures_total{", "site_worker_task_slots_used{")
        found = [next((line for line in lines if line.startswith(name)), None) for name in names]
        assert not any("slots_available{" in line for line in lines)  # nobody tells it of slots that are resizable
        return found if all(found) else None

    line, *_ = await eventually_awaited(measured)
    await failing.terminate()
    stop.set()
    await running

    assert 'service="sample-worker"' in line
    assert 'build_id="4.2"' in line
    assert 0 <= float(line.rsplit(" ", 1)[1]) < 30


async def _said(caplog, message):
    return next((record for record in caplog.records if record.getMessage() == message), None)
