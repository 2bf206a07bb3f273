"""A worker that is killed when a message was taken and nobody has written it down yet."""

import asyncio
import dataclasses
import email
import json
import signal
import ssl
import sys
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from channel_peers import REDIS, MailServer, Receiver, RedisServer
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from trenova_activities import DeliveryPayload, JobNotificationPayload
from trenova_activities.channels import ChannelOptions
from trenova_activities.database import (
    Catalog,
    Database,
    DatabaseOptions,
    NotificationActivities,
    find_delivery,
    seed,
)

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).parent / "deliver_once.py"


class Killed:
    """One planned delivery of a seeded database, and processes that deliver it."""

    def __init__(self, url: str, options: dict) -> None:
        self.url = url
        self.options = json.dumps(options)
        self.database = Database(DatabaseOptions(url=url))

    async def plan(self, channel: str) -> None:
        await seed(self.database, organizations=1, shipments=1)
        users = (await Catalog.reflect(self.database, ["users"]))["users"]
        async with self.database.read() as connection:
            user = (await connection.execute(select(users).where(users.c.status == "Active").limit(1))).one()
        tenant = {"organization_id": user.organization_id, "business_unit_id": user.business_unit_id}
        told = await NotificationActivities.open(self.database, ChannelOptions.model_validate_json(self.options))
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(ActivityEnvironment.default_info(), workflow_id="job/notify")
        payload = JobNotificationPayload(**tenant, job_type="billing_process", user_id=user.id, success=True)
        result = await environment.run(told.notify, payload)
        [self.delivery] = [one for one in result.deliveries if one.channel == channel]
        self.payload = DeliveryPayload(**tenant, key=self.delivery.key).model_dump_json(by_alias=True)

    async def run(self, how: str) -> tuple[int, str]:
        arguments = (self.url, self.options, self.payload, self.delivery.channel, how)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), *arguments, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(process.communicate(), 90)
        return process.returncode, said.decode().strip()

    async def row(self):
        return (await find_delivery(self.database, self.delivery.key))[0]


async def killed_between_send_and_record(url: str, channel: str, options: dict) -> Killed:
    """Return what is left when one worker died and another has tried twice."""
    killed = Killed(url, {channel: options})
    try:
        await killed.plan(channel)
        assert await killed.run("die") == (-signal.SIGKILL, "")
        assert (await killed.row()).state == "sending"
        assert await killed.run("live") == (0, "delivered False\ndelivered True")
        row = await killed.row()
        assert (row.state, bool(row.ambiguous), row.attempts) == ("delivered", True, 2)
        return killed
    finally:
        await killed.database.close()


@pytest.fixture
def address_tls(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_mail_is_repeated_with_the_same_id(embedded_sqlite_url: str, address_tls, ca_file: Path):
    server = MailServer(address_tls)
    options = {"host": "127.0.0.1", "port": server.port, "sender": "tms@example.com", "ca_file": str(ca_file)}

    killed = await killed_between_send_and_record(embedded_sqlite_url, "email", options)
    await asyncio.to_thread(server.close)

    ids = [email.message_from_bytes(raw)["Message-ID"] for raw in server.taken]
    assert ids == [f"<{killed.delivery.key}@example.com>"] * 2


async def test_a_webhook_is_repeated_with_the_same_id(embedded_sqlite_url: str, address_tls, ca_file: Path):
    receiver = Receiver()
    await receiver.start(tls=address_tls)
    endpoint = {
        "url": f"https://127.0.0.1:{receiver.port}/",
        "secret": "s" * 32,
        "allowed_networks": ["127.0.0.1/32"],
    }

    options = {"endpoints": {"billing": endpoint}, "ca_file": str(ca_file)}
    killed = await killed_between_send_and_record(embedded_sqlite_url, "webhook", options)
    await receiver.close()

    assert [one.headers["idempotency-key"] for one in receiver.requests] == [killed.delivery.key] * 2
    assert len({one.body for one in receiver.requests}) == 1


@pytest.mark.skipif(REDIS is None, reason="There is no redis-server.")
async def test_an_entry_of_a_stream_is_not_repeated(embedded_sqlite_url: str, tmp_path: Path):
    server = RedisServer(tmp_path)
    options = {"host": "127.0.0.1", "port": server.port, "password": server.password}

    killed = await killed_between_send_and_record(embedded_sqlite_url, "redis", options)
    reader = aioredis.Redis(port=server.port, password=server.password, decode_responses=True)
    entries = await reader.xrange("trenova:notifications")
    await reader.aclose()
    server.close()

    assert [fields["id"] for _, fields in entries] == [killed.delivery.key]
