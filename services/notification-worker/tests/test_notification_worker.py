import json
from pathlib import Path
from typing import Self

import pytest
from aiosmtpd.controller import Controller
from service_processes import Services, TemporalServer, free_port
from sqlalchemy import select
from temporalio import activity, workflow

from notification_worker import __main__ as program
from notification_worker._settings import Settings
from trenova_activities import (
    JOB_NOTIFICATION_WORKFLOW,
    NOTIFICATION_QUEUE,
    JobNotificationPayload,
    NotificationResult,
    RedeliverPayload,
    start_redelivery,
)
from trenova_activities.database import Catalog, seed
from trenova_workers import load_settings

MODULE = "notification_worker"


def told(folder: Path) -> Settings:
    """The settings of ``dev`` with its data in a folder."""
    return load_settings(Settings, environ={"TRENOVA_DATA_DIR": str(folder)}).values


class Mail:
    """A mail server that answers each recipient as told and keeps what it took."""

    def __init__(self) -> None:
        self.reply = "250 ok"
        self.taken: list[bytes] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.port = self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802
        if self.reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.reply

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        self.taken.append(envelope.content)
        return "250 ok"


async def somebody(settings: Settings) -> dict[str, str]:
    """Fill the sample TMS and return an active user of it with its tenant."""
    async with settings.open_database() as database:
        await seed(database, organizations=1, shipments=1)
        users = (await Catalog.reflect(database, ["users"]))["users"]
        async with database.read() as connection:
            user = (await connection.execute(select(users).where(users.c.status == "Active").limit(1))).one()
    tenant = {"organization_id": user.organization_id, "business_unit_id": user.business_unit_id}
    return {**tenant, "user_id": user.id}


def tenant_of(user: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in user.items() if name != "user_id"}


def shown(services: Services, **environ: str) -> dict[str, dict[str, object]]:
    """What ``config show --json`` says of each key."""
    done = services.call(MODULE, "config", "show", "--json", **environ)
    assert done.returncode == 0, done.stderr
    return {setting["key"]: setting for setting in json.loads(done.stdout)["settings"]}


def test_the_program_composes_and_is_short():
    assert len(Path(program.__file__).read_text().splitlines()) <= 60


async def test_the_names_of_the_contract_are_registered(tmp_path):
    settings = told(tmp_path)
    await program.SERVICE.prepare(settings)

    async with program.SERVICE.work(settings) as work:
        workflows = [workflow._Definition.must_from_class(one).name for one in work.workflows]
        activities = [activity._Definition.must_from_callable(one).name for one in work.activities]

    assert program.SERVICE.name == "notification-worker"
    assert list(program.SERVICE.queues(settings)) == ["notification-queue"]
    assert workflows == [
        "SendJobCompleteNotificationWorkflow",
        "SendConfigurationCopiedNotificationWorkflow",
        "RedeliverNotificationWorkflow",
    ]
    assert activities == [
        "SendNotificationActivity",
        "SendConfigurationCopiedNotificationActivity",
        "DeliverNotificationByEmailActivity",
        "DeliverNotificationByWebhookActivity",
        "DeliverNotificationByRedisActivity",
        "BuryNotificationDeliveryActivity",
        "ReopenNotificationDeliveryActivity",
    ]


def test_channels_come_from_variables_and_their_secrets_are_not_shown(services: Services):
    secret = "planted-0123456789012345678901234567"
    endpoint = {"url": "https://receiver.example/hook", "secret": secret}
    settings = shown(
        services,
        NOTIFICATION_WORKER_CHANNELS__EMAIL__HOST="mail.example",
        NOTIFICATION_WORKER_CHANNELS__EMAIL__SENDER="tms@example.com",
        NOTIFICATION_WORKER_CHANNELS__EMAIL__USERNAME="tms",
        NOTIFICATION_WORKER_CHANNELS__EMAIL__PASSWORD=secret,
        NOTIFICATION_WORKER_CHANNELS__WEBHOOK__ENDPOINTS=json.dumps({"billing": endpoint}),
        NOTIFICATION_WORKER_CHANNELS__REDIS__HOST="redis.example",
        NOTIFICATION_WORKER_CHANNELS__REDIS__PASSWORD=secret,
    )

    assert settings["channels.email.host"]["value"] == "mail.example"
    assert settings["channels.webhook.endpoints"]["value"]["billing"]["url"] == endpoint["url"]
    assert settings["channels.redis.stream"]["value"] == "trenova:notifications"
    assert secret not in json.dumps(settings)


async def test_check_says_which_channel_cannot_be_used(tmp_path):
    mail, redis = free_port(), free_port()
    endpoint = {"url": "https://127.0.0.1/hook", "secret": "s" * 32}
    settings = load_settings(
        Settings,
        environ={"TRENOVA_DATA_DIR": str(tmp_path)},
        overrides=[
            "channels.email.host=127.0.0.1",
            f"channels.email.port={mail}",
            "channels.email.sender=tms@example.com",
            "channels.redis.host=127.0.0.1",
            f"channels.redis.port={redis}",
            f"channels.webhook.endpoints={json.dumps({'inside': endpoint})}",
        ],
    ).values
    await program.SERVICE.prepare(settings)

    found = {one.subject: one for one in await program.SERVICE.check(settings)}

    assert {subject: one.ok for subject, one in found.items()} == {
        "notification": True,
        "email": False,
        "webhook inside": False,
        "redis": False,
    }
    assert f"127.0.0.1:{mail}" in found["email"].detail
    assert "no public address" in found["webhook inside"].detail


def test_dev_needs_nothing(services: Services):
    settings = shown(services)

    assert settings["env"]["value"] == "dev"
    assert settings["queues"] == {"key": "queues", "value": ["notification-queue"], "source": "config/base.yaml"}
    assert settings["database.url"]["value"] == "sqlite+aiosqlite:///{data_dir}/tms.db"
    assert settings["database.url"]["source"] == "config/dev.yaml"
    assert settings["database.embedded"]["value"] is True


@pytest.mark.parametrize(("env", "verb"), [("staging", ["config", "show", "--json"]), ("prod", ["run"])])
def test_elsewhere_the_database_must_be_named(services: Services, env: str, verb: list[str]):
    done = services.call(MODULE, *verb, TRENOVA_ENV=env)

    assert done.returncode == 2
    assert "'database.url' is required" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("env", "grace"), [("staging", 45), ("prod", 45)])
def test_elsewhere_no_sample_tms_is_made_and_the_password_is_not_shown(services: Services, env: str, grace: int):
    url = "postgresql://tms:planted-secret@db.example/tms"

    settings = shown(services, TRENOVA_ENV=env, TRENOVA_DATABASE__URL=url)

    assert settings["env"]["value"] == env
    assert settings["database.url"]["source"] == "TRENOVA_DATABASE__URL"
    assert "planted-secret" not in json.dumps(settings)
    assert settings["database.embedded"]["value"] is False
    assert settings["worker.graceful_shutdown_s"]["value"] == grace


def test_its_own_variable_wins_over_that_of_all_services(services: Services):
    settings = shown(
        services,
        TRENOVA_DATABASE__URL="sqlite:///everybody.db",
        NOTIFICATION_WORKER_DATABASE__URL="sqlite:///mine.db",
    )

    assert settings["database.url"]["value"] == "sqlite+aiosqlite:///mine.db"
    assert settings["database.url"]["source"] == "NOTIFICATION_WORKER_DATABASE__URL"


def test_it_prepares_polls_and_drains(services: Services, temporal: TemporalServer):
    [worker] = services.start(MODULE)
    services.prepare(MODULE)  # again, while it runs

    status, body = worker.readyz()
    checked = services.call(MODULE, "check", "--json")

    assert status == 200
    assert (body["service"], body["queues"]) == ("notification-worker", {"notification-queue": "polling"})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert worker.drain() == 0
    assert worker.readyz() == (0, {})


async def test_a_notification_leaves_by_mail_and_what_is_refused_can_be_redelivered(
    services: Services, temporal: TemporalServer, tmp_path
):
    with Mail() as mail:
        environ = {
            "NOTIFICATION_WORKER_CHANNELS__EMAIL__HOST": "127.0.0.1",
            "NOTIFICATION_WORKER_CHANNELS__EMAIL__PORT": str(mail.port),
            "NOTIFICATION_WORKER_CHANNELS__EMAIL__SECURITY": "none",
            "NOTIFICATION_WORKER_CHANNELS__EMAIL__SENDER": "tms@example.com",
        }
        settings = told(tmp_path)
        await program.SERVICE.prepare(settings)
        user = await somebody(settings)
        services.prepare(MODULE)
        services.run(MODULE, **environ).until_ready()
        client = await services.client()
        payload = JobNotificationPayload(**user, job_type="billing_process", success=True, result="Paid.")
        mail.reply = "550 no such user"
        arguments = {"task_queue": NOTIFICATION_QUEUE, "result_type": NotificationResult}
        refused = await client.execute_workflow(JOB_NOTIFICATION_WORKFLOW, payload, id="mail/notify", **arguments)
        mail.reply = "250 ok"
        [dead] = refused.deliveries
        asked = RedeliverPayload(**tenant_of(user), key=dead.key, requested_by="ann")
        again = await (await start_redelivery(client, asked)).result()

    assert (refused.delivered, refused.channels, dead.state) == (False, ["in_app"], "dead")
    assert again.delivery.state == "delivered"
    assert [dead.key.encode() in raw for raw in mail.taken] == [True]
