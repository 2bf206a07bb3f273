"""The commands as a person types them; redelivery on a real server with a real worker."""

import asyncio
import dataclasses
import json
import os
import sys

import pytest
from channel_peers import KEY
from sqlalchemy import insert
from temporalio.client import Client
from temporalio.worker import Worker
from typer.testing import CliRunner

import trenova_activities as jobs
from trenova_activities.channels import ChannelOptions, Channels, Probe
from trenova_activities.cli import app
from trenova_activities.database import (
    Database,
    DatabaseOptions,
    DeliveryActivities,
    NotificationPreferences,
    Tenant,
    find_delivery,
)
from trenova_errors import InvalidInputError

TENANT = {"organization_id": "org_1", "business_unit_id": "bu_1"}
OTHER_KEY = "ac" * 32


@dataclasses.dataclass
class Wire:
    """A Redis channel that takes everything, or nothing."""

    name: str = "redis"
    refuses: bool = False
    sent: list[str] = dataclasses.field(default_factory=list)

    async def send(self, message, destination):
        if self.refuses:
            raise InvalidInputError("No.")
        self.sent.append(message.id)
        return "1-0"

    async def probe(self):
        return [Probe(subject=self.name, ok=True, detail="")]

    async def close(self):
        pass


async def fill(url: str) -> None:
    async with Database.open(DatabaseOptions(url=url)) as database, database.write() as connection:
        for key, state in ((KEY, "dead"), (OTHER_KEY, "failed")):
            told = {"id": key, "notification_id": "notif_1", "organization_id": "org_1", "business_unit_id": "bu_1"}
            told |= {"event_type": "job.unknown", "priority": "high", "title": "Job Failed", "message": "planted text"}
            message = {"target": "user/usr_1", **told}
            row = {
                **TENANT,
                "key": key,
                "notification_id": "notif_1",
                "digest": "d" * 64,
                "workflow_id": "job/notify",
                "channel": "redis",
                "target": "stream/s",
                "message": {_camel(name): value for name, value in message.items()},
                "max_attempts": 2,
                "state": state,
                "attempts": 2,
                "ambiguous": state == "dead",
                "last_error": "redis.connection",
                "created_at": 1,
                "updated_at": 2,
            }
            await connection.execute(insert(database.jobs.channel_deliveries).values(row))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


@pytest.fixture
def run(embedded_sqlite_url: str):
    asyncio.run(fill(embedded_sqlite_url))
    runner = CliRunner()
    return lambda *arguments: runner.invoke(
        app, ["notifications", *arguments], env={"TRENOVA_DATABASE__URL": embedded_sqlite_url, "COLUMNS": "200"}
    )


def test_what_was_given_up_is_listed_and_nothing_else_unless_asked_for(run):
    assert run("list").stdout == (
        f"{KEY[:12]}  dead       redis    stream/s  2 attempts  redis.connection, may have been taken\n"
    )
    assert len(run("list", "--state", "all").stdout.splitlines()) == 2
    assert run("list", "--organization", "org_2").stdout == ""
    listed = json.loads(run("list", "--json").stdout)
    assert [(one["key"], one["state"]) for one in listed] == [(KEY, "dead")]
    assert "planted text" not in json.dumps(listed)


def test_one_is_shown_by_the_beginning_of_its_key(run):
    shown = run("show", KEY[:4])

    assert f"key       {KEY}" in shown.stdout
    assert "state     dead (an earlier attempt may have been taken)" in shown.stdout
    assert "about     job.unknown, high: Job Failed" in shown.stdout
    assert json.loads(run("show", KEY, "--json").stdout)["message"]["message"] == "planted text"


def test_a_key_that_is_none_or_not_one_is_said_so(run):
    nothing, several = run("show", "ff"), run("show", "a")

    assert (nothing.exit_code, several.exit_code) == (1, 1)
    assert "No delivery with id 'ff'" in nothing.stderr
    assert "Several deliveries begin with 'a'" in several.stderr


def test_a_preference_is_set_and_left_to_the_settings_again(run, embedded_sqlite_url: str):
    async def wishes():
        async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
            return await NotificationPreferences(database, Tenant("org_1", "bu_1")).of("usr_1")

    where = ("--organization", "org_1", "--business-unit", "bu_1")
    assert run("prefer", "usr_1", "email", "urgent", *where).exit_code == 0
    [wish] = asyncio.run(wishes())
    assert (wish.channel, wish.event_type, wish.rule) == ("email", "*", "urgent")
    assert run("prefer", "usr_1", "email", "default", *where).exit_code == 0
    assert asyncio.run(wishes()) == []
    assert "'mail' is none of email, webhook, redis" in run("prefer", "usr_1", "mail", "on", *where).stderr


async def redeliver(client: Client, url: str, *arguments: str) -> tuple[int, str]:
    code = "import sys; from trenova_activities.cli import main; sys.argv[0] = 'trenova-activities'; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "notifications", "redeliver", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **os.environ,
            "TEMPORAL_ADDRESS": client.service_client.config.target_host,
            "TRENOVA_DATABASE__URL": url,
            "TRENOVA_CODECS_PLAIN": "1",
            "COLUMNS": "200",
        },
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, said.decode()


async def test_a_redelivery_is_asked_for_by_somebody_and_sent_once(client: Client, embedded_sqlite_url: str):
    await fill(embedded_sqlite_url)
    wire = Wire(refuses=True)
    async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
        sent = await DeliveryActivities.open(database, Channels(ChannelOptions(), [wire]))
        async with Worker(
            client,
            task_queue=jobs.NOTIFICATION_QUEUE,
            workflows=[jobs.RedeliverNotificationWorkflow],
            activities=[sent.redis, sent.bury, sent.reopen],
        ):
            asked = (KEY[:6], "--by", "ann", "--reason", "Redis is back")
            again = await redeliver(client, embedded_sqlite_url, *asked)
            wire.refuses = False
            done = await redeliver(client, embedded_sqlite_url, *asked)
            more = await redeliver(client, embedded_sqlite_url, *asked)

    assert again[0] == 3, again[1]
    assert "failed again and is given up" in again[1]
    assert done[0] == more[0] == 0, done[1] + more[1]
    assert "had been delivered" in more[1]
    assert wire.sent == [KEY]
    async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
        _, actions = await find_delivery(database, KEY)
    asked = [(one.requested_by, one.state_before, one.reason) for one in actions]
    assert asked == [("ann", "dead", "Redis is back")] * 2
