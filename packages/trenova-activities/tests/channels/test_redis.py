import asyncio
import json

import pytest
import redis.asyncio as aioredis
from channel_peers import KEY, RedisServer, free_port, message, needs_redis

from trenova_activities.channels import RedisChannel, RedisOptions
from trenova_errors import AmbiguousOutcomeError, ApplicationError

pytestmark = needs_redis


@pytest.fixture
async def reader(redis_server: RedisServer):
    client = aioredis.Redis(port=redis_server.port, password=redis_server.password, decode_responses=True)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def told(redis_server: RedisServer):
    opened = []

    def make(**changes) -> RedisChannel:
        options = {"host": "127.0.0.1", "port": redis_server.port, "password": redis_server.password, "timeout_s": 2}
        opened.append(RedisChannel(RedisOptions(**(options | changes))))
        return opened[-1]

    yield make
    for channel in opened:
        await channel.close()


async def test_a_message_is_one_entry_however_often_it_is_sent(reader, told):
    channel = told()

    ids = await asyncio.gather(*(channel.send(message(), "trenova:notifications") for _ in range(20)))

    [(entry, fields)] = await reader.xrange("trenova:notifications")
    assert set(ids) == {entry}
    assert (fields["id"], fields["event"], fields["organizationId"]) == (
        KEY,
        "job.shipment.duplicate_complete",
        "org_1",
    )
    assert json.loads(fields["message"])["title"] == "Shipment Duplication Failed"


async def test_an_answer_that_was_lost_is_ambiguous_and_the_repetition_finds_the_entry(reader, redis_server, told):
    async def forward(source, sink):
        while data := await source.read(65_536):
            sink.write(data)

    async def lossy(client_reader, client_writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", redis_server.port)
        up = asyncio.create_task(forward(client_reader, server_writer))
        while data := await server_reader.read(65_536):
            if b"-0" in data:  # the id of the entry
                break
            client_writer.write(data)
        up.cancel()
        for writer in (client_writer, server_writer):
            writer.close()

    proxy = await asyncio.start_server(lossy, "127.0.0.1", 0)
    through = told(port=proxy.sockets[0].getsockname()[1])
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await through.send(message(), "trenova:notifications")
    proxy.close()

    known = await told().send(message(), "trenova:notifications")

    assert not caught.value.non_retryable
    assert [entry for entry, _ in await reader.xrange("trenova:notifications")] == [known]


async def test_the_stream_is_kept_short(reader, told):
    channel = told(max_length=10)

    for number in range(300):
        await channel.send(message(id=f"{number:064x}"), "trenova:notifications")

    assert await reader.xlen("trenova:notifications") < 300
    assert 0 < await reader.ttl(f"{{trenova:notifications}}:taken:{0:064x}") <= 14 * 86_400


async def test_a_wrong_password_is_a_matter_of_configuration_and_is_not_shown(told):
    channel = told(password="planted-wrong")

    with pytest.raises(ApplicationError) as caught:
        await channel.send(message(), "trenova:notifications")
    [probe] = await channel.probe()

    assert caught.value.kind == "configuration"
    assert not probe.ok
    assert "planted" not in str(caught.value) + probe.detail


async def test_a_key_of_another_type_is_permanent(reader, told):
    await reader.set("trenova:notifications", "text")

    with pytest.raises(ApplicationError) as caught:
        await told().send(message(), "trenova:notifications")
    assert caught.value.non_retryable


async def test_nobody_at_the_port_is_not_ambiguous(told):
    with pytest.raises(ApplicationError) as caught:
        await told(port=free_port()).send(message(), "trenova:notifications")

    assert (caught.value.kind, caught.value.non_retryable) == ("unavailable", False)


async def test_check_says_ping(told):
    [probe] = await told().probe()

    assert probe.ok
    assert "trenova:notifications" in probe.detail
