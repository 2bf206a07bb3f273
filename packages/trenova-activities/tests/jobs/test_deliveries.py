import asyncio
import dataclasses
import shutil
import sqlite3
import uuid

import pytest
from sqlalchemy import insert, select, text, update
from temporalio.testing import ActivityEnvironment
from tms import Tms, opened

from trenova_activities import DeliveryPayload, JobNotificationPayload, RedeliverPayload
from trenova_activities.channels import ChannelOptions, Channels
from trenova_activities.database import (
    Database,
    DeliveryActivities,
    NotificationActivities,
    NotificationPreferences,
    Preference,
    find_delivery,
    list_deliveries,
)
from trenova_activities.database._rows import insertable
from trenova_errors import (
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    ResourceNotFoundError,
    UnavailableError,
)

pytestmark = pytest.mark.integration  # three databases: once, not on every Python

SECRET = "s" * 32
ALL = {
    "email": {"host": "mail.example", "sender": "tms@example.com"},
    "webhook": {"endpoints": {"billing": {"url": "https://x.example/", "secret": SECRET}}, "max_attempts": 3},
    "redis": {"host": "redis.example"},
}


class Wire:
    """A channel that keeps what it is given and fails as told."""

    def __init__(self, name):
        self.name = name
        self.sent = []
        self.failures = []

    async def send(self, message, destination):
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((message, destination))
        return "taken"

    async def probe(self):
        return []

    async def close(self):
        pass


class Post:
    """Everything between a job's end and the wire, on one database."""

    def __init__(self, tms, told, sent, wires):
        self.tms = tms
        self.told = told
        self.sent = sent
        self.wires = wires

    @classmethod
    async def open(cls, tms: Tms, options=None):
        options = ChannelOptions.model_validate(ALL if options is None else options)
        wires = {name: Wire(name) for name in ("email", "webhook", "redis")}
        told = await NotificationActivities.open(tms.database, options)
        sent = await DeliveryActivities.open(tms.database, Channels(options, wires.values()))
        return cls(dataclasses.replace(tms, catalog=told._catalog), told, sent, wires)

    async def notify(self, *, workflow_id="job/notify", **changes):
        about = {
            **self.tms.tenant.values,
            "timestamp": 100,
            "job_id": "job",
            "job_type": "duplicate_shipment",
            "user_id": self.tms.user_id,
            "success": True,
            "result": "Shipment S1 was duplicated twice.",
        }
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(ActivityEnvironment.default_info(), workflow_id=workflow_id)
        return await environment.run(self.told.notify, JobNotificationPayload(**(about | changes)))

    async def deliver(self, delivery, **changes):
        payload = DeliveryPayload(**self.tms.tenant.values, key=delivery.key, **changes)
        return await ActivityEnvironment().run(getattr(self.sent, delivery.channel), payload)

    async def bury(self, delivery, code="smtp.550"):
        payload = DeliveryPayload(**self.tms.tenant.values, key=delivery.key, error_code=code)
        return await ActivityEnvironment().run(self.sent.bury, payload)

    async def reopen(self, delivery, *, run_id="run-1", **changes):
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(ActivityEnvironment.default_info(), workflow_run_id=run_id)
        asked = {"key": delivery.key, "requested_by": "usr_operator", "reason": "mail server was moved"} | changes
        return await environment.run(self.sent.reopen, RedeliverPayload(**self.tms.tenant.values, **asked))

    async def row(self, delivery):
        return (await find_delivery(self.tms.database, delivery.key))[0]

    async def prefer(self, channel, event, rule, user_id=None):
        preferences = NotificationPreferences(self.tms.database, self.tms.tenant)
        await preferences.set(Preference(user_id or self.tms.user_id, channel, event, rule))


@pytest.fixture
async def post(tms: Tms) -> Post:
    return await Post.open(tms)


@pytest.fixture
async def small(seeded_sqlite, tmp_path):
    """What does not depend on the kind of database."""
    shutil.copyfile(seeded_sqlite, tmp_path / "small.db")
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/small.db") as tms:
        yield await Post.open(tms)


async def test_a_notification_is_planned_once_with_its_row_and_leaves_by_every_channel(post: Post):
    first = await post.notify()
    again = await post.notify()
    for delivery in first.deliveries:
        assert (await post.deliver(delivery)).state == "delivered"

    assert again.deliveries == first.deliveries
    assert [(one.channel, one.target, one.max_attempts) for one in first.deliveries] == [
        ("email", f"user/{post.tms.user_id}", 10),
        ("redis", "stream/trenova:notifications", 10),
        ("webhook", "endpoint/billing", 3),
    ]
    [user] = await post.tms.rows("users", id=post.tms.user_id)
    destinations = [wire.sent[0][1] for wire in post.wires.values()]
    assert destinations == [user.email_address, "billing", "trenova:notifications"]
    [(message, _)] = post.wires["email"].sent
    assert (message.id, message.title) == (first.deliveries[0].key, "Shipment Duplication Completed")
    assert (message.notification_id, message.event_type) == (first.notification_id, "job.shipment.duplicate_complete")


async def test_what_is_known_to_be_taken_is_never_sent_again(post: Post):
    delivery = (await post.notify()).deliveries[0]

    first = await post.deliver(delivery)
    second = await post.deliver(delivery)

    assert (first.repeated, second.repeated, second.receipt) == (False, True, "taken")
    assert len(post.wires["email"].sent) == 1
    row = await post.row(delivery)
    assert (row.state, row.attempts, row.receipt, bool(row.ambiguous)) == ("delivered", 1, "taken", False)
    assert row.delivered_at > 0


async def test_a_failure_is_on_record_with_its_code_and_without_its_text(post: Post):
    delivery = (await post.notify()).deliveries[0]
    post.wires["email"].failures = [UnavailableError("planted-secret")]

    with pytest.raises(UnavailableError):
        await post.deliver(delivery)
    failed = await post.row(delivery)
    await post.deliver(delivery)

    assert (failed.state, failed.last_error, bool(failed.ambiguous)) == ("failed", "unavailable", False)
    assert "planted" not in str(failed)
    row = await post.row(delivery)
    assert (row.state, row.attempts, row.last_error) == ("delivered", 2, None)


async def test_a_database_that_is_away_for_a_moment_does_not_make_a_taken_message_be_sent_again(small: Post):
    delivery = (await small.notify()).deliveries[0]
    options = small.tms.database.options.model_copy(update={"lock_timeout_s": 0.2})

    class Locking(Wire):
        """Another program locks the database for longer than its time-out while the message is taken."""

        async def send(self, message, destination):
            blocker = sqlite3.connect(options.url.partition("///")[2], isolation_level=None)
            blocker.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.6, blocker.close)
            return await super().send(message, destination)

    wire = Locking("email")
    async with Database.open(options) as database:
        sent = await DeliveryActivities.open(database, Channels(ChannelOptions(), [wire]))
        payload = DeliveryPayload(**small.tms.tenant.values, key=delivery.key)
        receipt = await ActivityEnvironment().run(sent.email, payload)

    assert (receipt.state, len(wire.sent)) == ("delivered", 1)
    assert (await small.row(delivery)).state == "delivered"


async def test_an_unknown_outcome_is_recorded_as_such_and_stays_so(post: Post):
    delivery = (await post.notify()).deliveries[0]
    post.wires["email"].failures = [AmbiguousOutcomeError("Lost.", idempotent=True)]

    with pytest.raises(AmbiguousOutcomeError):
        await post.deliver(delivery)
    between = await post.row(delivery)
    await post.deliver(delivery)

    assert (between.state, bool(between.ambiguous)) == ("ambiguous", True)
    row = await post.row(delivery)
    assert (row.state, bool(row.ambiguous)) == ("delivered", True)


async def test_a_delivery_that_is_given_up_is_listed_and_reopened_once_per_run(post: Post):
    delivery = (await post.notify()).deliveries[0]
    post.wires["email"].failures = [UnavailableError("No.")]
    with pytest.raises(UnavailableError):
        await post.deliver(delivery)

    assert (await post.bury(delivery, "")).state == "dead"
    dead = await post.row(delivery)
    listed = await list_deliveries(post.tms.database, states=["dead"])
    with pytest.raises(ConflictError, match="was given up"):
        await post.deliver(delivery)
    for _ in range(2):
        assert (await post.reopen(delivery)).state == "pending"
    await post.deliver(delivery)

    assert (dead.last_error, [row.key for row in listed]) == ("unavailable", [delivery.key])
    row, [action] = await find_delivery(post.tms.database, delivery.key[:10])
    assert row.state == "delivered"
    assert (action.requested_by, action.reason, action.state_before) == (
        "usr_operator",
        "mail server was moved",
        "dead",
    )
    assert (await post.reopen(delivery, run_id="run-2")).state == "delivered"
    assert (await post.bury(delivery)).state == "delivered"


async def test_a_delivery_of_another_tenant_is_not_found(post: Post):
    delivery = (await post.notify()).deliveries[0]

    with pytest.raises(ResourceNotFoundError):
        payload = DeliveryPayload(**post.tms.other.values, key=delivery.key)
        await ActivityEnvironment().run(post.sent.email, payload)
    with pytest.raises(ResourceNotFoundError):
        payload = RedeliverPayload(**post.tms.other.values, key=delivery.key, requested_by="x", force=True)
        await ActivityEnvironment().run(post.sent.reopen, payload)


async def test_one_that_is_not_given_up_is_reopened_by_force_only(small: Post):
    delivery = (await small.notify()).deliveries[0]

    with pytest.raises(ConflictError, match="is pending, not given up: the run 'job/notify'"):
        await small.reopen(delivery)
    _, actions = await find_delivery(small.tms.database, delivery.key)
    assert actions == []
    assert (await small.reopen(delivery, force=True)).key == delivery.key


async def test_a_newer_outcome_leaves_again_and_an_older_one_does_not(small: Post):
    failed = await small.notify(success=False, timestamp=100)
    worked = await small.notify(success=True, timestamp=200)
    late = await small.notify(success=False, timestamp=100, result="late")

    assert worked.notification_id == failed.notification_id
    assert not {one.key for one in failed.deliveries} & {one.key for one in worked.deliveries}
    assert late.deliveries == []


@pytest.mark.parametrize(
    ("wishes", "success", "expected"),
    [
        ([], True, True),
        ([("*", "off")], True, False),
        ([("*", "off"), ("job.shipment.duplicate_complete", "on")], True, True),
        ([("job.shipment.duplicate_complete", "off")], False, False),
        ([("job.other", "off")], True, True),
        ([("*", "urgent")], True, False),
        ([("*", "urgent")], False, True),
    ],
)
async def test_a_user_is_told_what_it_wishes_to_hear(small: Post, wishes, success, expected):
    for event, rule in wishes:
        await small.prefer("email", event, rule)

    result = await small.notify(success=success)

    assert ("email" in {one.channel for one in result.deliveries}) is expected
    assert {"webhook", "redis"} <= {one.channel for one in result.deliveries}


async def test_a_wish_can_be_changed_and_taken_back(small: Post):
    preferences = NotificationPreferences(small.tms.database, small.tms.tenant)
    await small.prefer("email", "*", "off")
    await small.prefer("email", "*", "urgent")

    [wish] = await preferences.of(small.tms.user_id)
    assert wish.rule == "urgent"
    assert await preferences.clear(small.tms.user_id, "email")
    assert not await preferences.clear(small.tms.user_id, "email")
    assert await NotificationPreferences(small.tms.database, small.tms.other).of(small.tms.user_id) == []


async def test_the_settings_decide_where_a_user_has_no_wish(small: Post):
    email = {**ALL["email"], "events": ["configuration.*"]}
    post = await Post.open(small.tms, {**ALL, "email": email, "redis": {**ALL["redis"], "rule": "urgent"}})

    assert [one.channel for one in (await post.notify()).deliveries] == ["webhook"]
    await post.prefer("email", "job.shipment.duplicate_complete", "on")
    channels = [one.channel for one in (await post.notify(workflow_id="b", success=False)).deliveries]
    assert channels == ["email", "redis", "webhook"]


async def test_an_endpoint_of_other_organizations_hears_nothing(small: Post):
    endpoint = ALL["webhook"]["endpoints"]["billing"]
    endpoints = {"mine": {**endpoint, "organizations": [small.tms.tenant.organization_id]}}
    endpoints["theirs"] = {**endpoint, "organizations": [small.tms.other.organization_id]}
    post = await Post.open(small.tms, {"webhook": {"endpoints": endpoints}})

    assert [one.target for one in (await post.notify()).deliveries] == ["endpoint/mine"]


async def test_no_channel_is_planned_by_default(small: Post):
    post = await Post.open(small.tms, {})

    assert (await post.notify()).deliveries == []


async def test_a_user_who_left_gets_no_mail(small: Post):
    planned = (await small.notify()).deliveries[0]
    users = small.tms.catalog["users"]
    async with small.tms.database.write() as connection:
        await connection.execute(update(users).where(users.c.id == small.tms.user_id).values(status="Inactive"))

    with pytest.raises(ResourceNotFoundError, match="mail address of active user"):
        await small.deliver(planned)
    assert "email" not in {one.channel for one in (await small.notify(workflow_id="later")).deliveries}
    assert (await small.row(planned)).state == "failed"


async def test_a_role_is_told_by_what_is_nobodys_own_where_its_users_are_not_known(small: Post):
    result = await small.notify(user_id=None, target_role="dispatcher")

    assert [one.channel for one in result.deliveries] == ["redis", "webhook"]


async def test_a_role_is_told_user_by_user_where_they_are_known(post: Post):
    users = post.tms.catalog["users"]
    async with post.tms.database.write() as connection:
        await connection.execute(
            text(
                "CREATE TABLE user_roles (organization_id varchar(100), business_unit_id varchar(100), "
                "user_id varchar(100), role varchar(100))"
            )
        )
        mine = select(users.c.id).where(post.tms.tenant.owns(users), users.c.status == "Active")
        ids = list((await connection.execute(mine.order_by(users.c.id).limit(1))).scalars())
        others = select(users.c.id).where(post.tms.other.owns(users))
        stranger = (await connection.execute(others.limit(1))).scalar_one()
        for tenant, user in [(post.tms.tenant, one) for one in ids] + [(post.tms.other, stranger)]:
            statement = "INSERT INTO user_roles VALUES (:organization_id, :business_unit_id, :user, 'dispatcher')"
            await connection.execute(text(statement), {**tenant.values, "user": user})
    roles = await Post.open(post.tms, {"email": ALL["email"], "roles": {"table": "user_roles"}})

    result = await roles.notify(user_id=None, target_role="dispatcher", workflow_id=uuid.uuid4().hex)
    nobody = await roles.notify(user_id=None, target_role="nobody", workflow_id=uuid.uuid4().hex)

    assert [one.target for one in result.deliveries] == [f"user/{one}" for one in ids]
    assert nobody.deliveries == []
    async with post.tms.database.write() as connection:
        await connection.execute(text("DROP TABLE user_roles"))


async def test_users_of_a_role_beyond_the_limit_are_counted(small: Post):
    users = small.tms.catalog["users"]
    [known] = await small.tms.rows("users", id=small.tms.user_id)
    async with small.tms.database.write() as connection:
        await connection.execute(text("CREATE TABLE user_roles (user_id varchar(100), role varchar(100))"))
        for number in range(5):
            changes = {"id": f"usr_{number}", "username": f"u{number}", "email_address": f"u{number}@x.example"}
            row = insertable(users, {**known._mapping, **changes, "status": "Active"})
            await connection.execute(insert(users).values(row))
            await connection.execute(text(f"INSERT INTO user_roles VALUES ('usr_{number}', 'dispatcher')"))
    post = await Post.open(small.tms, {"email": ALL["email"], "roles": {"table": "user_roles", "most": 3}})

    result = await post.notify(user_id=None, target_role="dispatcher")

    assert [one.target for one in result.deliveries] == ["user/usr_0", "user/usr_1", "user/usr_2"]
    assert result.recipients_left_out == 2
    assert await post.notify(user_id=None, target_role="dispatcher") == result


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"table": "no_such"}, "the table 'no_such', which is not there"),
        ({"table": "users", "role_column": "rank"}, "columns that 'users' does not have: user_id, rank"),
    ],
)
async def test_settings_that_name_what_is_not_there_are_refused(small: Post, roles, said):
    with pytest.raises(ConfigurationError, match=said):
        await Post.open(small.tms, {"roles": roles})


async def test_a_worker_without_the_channel_leaves_the_delivery_to_another(small: Post):
    delivery = (await small.notify()).deliveries[0]
    sent = DeliveryActivities(small.tms.database, small.tms.catalog, Channels(ChannelOptions()))

    with pytest.raises(UnavailableError, match="no channel 'email'"):
        payload = DeliveryPayload(**small.tms.tenant.values, key=delivery.key)
        await ActivityEnvironment().run(sent.email, payload)
    assert (await small.row(delivery)).attempts == 0
