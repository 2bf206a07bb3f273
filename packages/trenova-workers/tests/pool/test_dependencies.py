import asyncio
import contextlib

import pytest
from aiohttp import web
from pool_site import until
from sample_worker._jobs import Sample

from trenova_errors import ConfigurationError
from trenova_workers._up._ports import free_ports
from trenova_workers.pool import DependencyOptions, DependencyProbes, load_pools

FAST = {"every_s": 1, "timeout_s": 0.3}


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@contextlib.asynccontextmanager
async def listening(port):
    """Takes connections, and says nothing."""
    asked = []

    async def take(_, writer):
        asked.append(1)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield asked
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def answering(status):
    async def health(_):
        return web.Response(status=status())

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/health"
    finally:
        await runner.cleanup()


async def test_what_takes_no_connection_twice_in_a_row_is_down_and_up_with_the_first_that_it_takes():
    (port,) = free_ports(1)
    clock = Clock()
    told = DependencyOptions(name="rates", tcp=f"127.0.0.1:{port}", **FAST)
    probes = DependencyProbes({"ship": [told]}, clock=clock)

    found = []
    for _ in range(2):
        found.append(await probes.down("ship"))
        clock.now += 2
    async with listening(port):
        found.append(await probes.down("ship"))

    assert found == [[], ["rates"], []]
    assert await probes.down("other") == []


async def test_an_answer_is_good_for_a_while_and_for_all_pools():
    (port,) = free_ports(1)
    clock = Clock()
    told = DependencyOptions(name="rates", tcp=f"127.0.0.1:{port}", **FAST)
    async with listening(port) as asked:
        probes = DependencyProbes({"ship": [told], "bill": [told]}, clock=clock)
        await asyncio.gather(probes.down("ship"), probes.down("bill"), probes.down("ship"))
        clock.now += 0.5
        await probes.down("bill")
        await asyncio.sleep(0.05)
        assert len(asked) == 1


@pytest.mark.parametrize(("status", "works"), [(200, True), (302, True), (404, True), (500, False), (503, False)])
async def test_a_health_check_that_fails_on_its_own_side_is_down(status, works):
    async with answering(lambda: status) as url:
        told = DependencyOptions(name="rates", url=url, failures=1)
        assert (await DependencyProbes({"ship": [told]}).down("ship") == []) is works


async def test_what_answers_too_late_is_down():
    async def late(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told = DependencyOptions(name="rates", url=f"http://127.0.0.1:{port}/", failures=1, timeout_s=0.2)
    assert await DependencyProbes({"ship": [told]}).down("ship") == ["rates"]
    server.close()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{name: x}", "say either tcp"),
        ("{name: x, tcp: 'db:5432', url: 'http://db/'}", "say either tcp"),
        ("{name: x, tcp: db}", "tcp is no host:port"),
        ("{name: x, tcp: '::1:5432'}", "tcp is no host:port"),
        ("{name: x, tcp: 'db:0'}", "tcp is no host:port"),
        ("{name: x, url: 'ftp://db/'}", "url is none"),
        ("{name: x, url: 'https://ann:hunter2@db/'}", "has a user or a password in it"),
    ],
)
def test_a_dependency_that_cannot_be_asked_is_refused_without_showing_a_password(tmp_path, told, said):
    file = tmp_path / "pools.yaml"
    file.write_text(f"pools: {{ship: {{process: {{module: m}}, dependencies: [{told}]}}}}")
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_pools(file)
    assert "hunter2" not in str(caught.value)


def test_an_address_in_brackets_is_split():
    assert DependencyOptions(name="x", tcp="[::1]:5432").address == ("::1", 5432)


@pytest.mark.integration
async def test_no_worker_is_added_while_a_dependency_is_down_and_the_sentence_names_it(site, client):
    (port,) = free_ports(1)
    policy = {"poll_s": 5, "start_s": 1, "min_workers": 0, "wait_target_s": 30}
    needs = [{"name": "rating engine", "tcp": f"127.0.0.1:{port}", "failures": 1, **FAST}]
    async with site.managed(None, site.options(policy=policy, dependencies=needs)) as opened:
        await client.start_workflow(Sample.run, args=["sample.nap", 0.0], id=f"{site.queue}/1", task_queue=site.queue)
        state = await until(opened, lambda one: "rating engine" in one.why)
        assert state.desired == 0
        assert "but rating engine is down, and more workers would only fail more" in state.why
        async with listening(port):
            await until(opened, lambda one: one.counts["running"] >= 1)
