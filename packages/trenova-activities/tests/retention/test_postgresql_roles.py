"""The roles of docs/postgresql-roles.md, made by the document's own SQL, do their jobs and nothing else."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from auditlog import DAY, opened
from temporalio.testing import ActivityEnvironment

from trenova_activities import (
    CancelShipmentsPayload,
    CheckDatabasePayload,
    DuplicateShipmentPayload,
    JobNotificationPayload,
    RunState,
)
from trenova_activities.database import (
    CancellationActivities,
    Database,
    DatabaseOptions,
    NotificationActivities,
    ShipmentActivities,
    SystemActivities,
    allow_retention,
    check,
    migrate,
)
from trenova_activities.testing import CURRENT_TENANTS, PostgresServer, install_current_tms
from trenova_activities.testing._blocking import block_on
from trenova_errors import ApplicationError

DOCUMENT = Path(__file__).parents[4] / "docs" / "postgresql-roles.md"
TENANT = {
    "organization_id": CURRENT_TENANTS[0].organization_id,
    "business_unit_id": CURRENT_TENANTS[0].business_unit_id,
}
WORKERS = ("trenova_shipment_worker", "trenova_notification_worker", "trenova_system_worker")
EVERYBODY = ("trenova_migrator", *WORKERS)


@pytest.fixture(scope="module")
def tms() -> Iterator[tuple[PostgresServer, str]]:
    """A server of its own, because roles belong to the whole server."""
    roles, own_tables, tms_tables = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    with PostgresServer() as server:
        url = server.create_database(name="tms")
        install_current_tms(url)
        server.execute(roles, database=url)
        done = block_on(_migrate(_as(url, "trenova_migrator")))
        assert not done.embedded
        server.execute(f"SET ROLE trenova_migrator; {own_tables}", database=url)
        server.execute(tms_tables, database=url)
        block_on(_allow(url))
        yield server, url


async def _migrate(url: str):
    async with Database.open(DatabaseOptions(url=url)) as database:
        return await migrate(database, embedded=False)


async def _allow(url: str) -> None:
    async with Database.open(DatabaseOptions(url=url)) as database:
        await allow_retention(database, role="trenova_system_worker")


def _as(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


def role(tms, name: str):
    return Database.open(DatabaseOptions(url=_as(tms[1], name)))


def environment(workflow_id: str) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    info = ActivityEnvironment.default_info()
    environment.info = dataclasses.replace(
        info, workflow_id=workflow_id, heartbeat_timeout=timedelta(seconds=10), started_time=info.scheduled_time
    )
    return environment


JOBS = {
    "trenova_shipment_worker": ["duplicate_shipment", "cancel_shipments"],
    "trenova_notification_worker": ["notification"],
    "trenova_system_worker": ["delete_audit_entries"],
}


@pytest.mark.parametrize("name", WORKERS)
async def test_each_role_has_what_its_jobs_need_and_nothing_to_migrate(tms, name):
    async with role(tms, name) as database:
        assert await check(database, JOBS[name]) == {job: [] for job in JOBS[name]}
        assert (await migrate(database, embedded=False)).changed is False
        asked = CheckDatabasePayload(jobs=JOBS[name])
        assert (await environment("check").run(SystemActivities(database).check_database, asked)).ready


async def test_the_shipment_worker_duplicates_and_cancels(tms):
    server, url = tms
    async with role(tms, "trenova_shipment_worker") as database:
        activities = await ShipmentActivities.open(database)
        payload = DuplicateShipmentPayload(
            **TENANT,
            user_id=CURRENT_TENANTS[0].user_id,
            shipment_id=CURRENT_TENANTS[0].shipment_id,
            count=3,
            idempotency_key="roles",
            include_commodities=True,
            include_additional_charges=True,
            override_dates=True,
        )
        made = await environment("duplicate").run(activities.duplicate, payload)
        assert made == await environment("duplicate").run(activities.duplicate, payload)
        copies = ", ".join(f"'{copy}'" for copy in made.shipment_ids)
        server.execute(f"UPDATE shipments SET created_at = 1000 WHERE id IN ({copies})", database=url)
        async with database.read() as connection:
            now = await database.clock(connection)
        nightly = await CancellationActivities.open(database)
        asked = CancelShipmentsPayload().at(RunState(run_id="roles", workflow_time=now))
        done = await environment("cancel").run(nightly.cancel, asked)
    assert done.result.total_cancelled == 3
    assert server.execute(f"SELECT DISTINCT status FROM shipments WHERE id IN ({copies})", database=url) == "Canceled"


async def test_the_notification_worker_notifies(tms):
    async with role(tms, "trenova_notification_worker") as database:
        activities = await NotificationActivities.open(database)
        payload = JobNotificationPayload(
            **TENANT,
            timestamp=100,
            job_id="job",
            job_type="duplicate_shipment",
            user_id=CURRENT_TENANTS[0].user_id,
            success=True,
            result="Done.",
        )
        assert (await environment("job/notify").run(activities.notify, payload)).delivered


async def test_the_system_worker_purges(tms):
    async with opened(tms[1], allow=False) as owner:
        [tenant] = await owner.organization(30)
        now = await owner.time()
        await owner.entries(tenant, [now - 31 * DAY, now - 29 * DAY])
        async with opened(_as(tms[1], "trenova_system_worker"), allow=False) as log:
            asked = {"organization_ids": [tenant.organization_id]}
            assert (await log.run(dry_run=True, **asked)).result.total_deleted == 1
            assert (await log.run(**asked)).result.total_deleted == 1
        assert (await owner.counts())[tenant.organization_id, tenant.business_unit_id] == 1


FORBIDDEN = {
    "trenova_migrator": (
        "SELECT * FROM shipments",
        "SELECT id FROM audit_entries",
        "DELETE FROM audit_entries",
        "UPDATE data_retention SET audit_retention_period = 1",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_shipment_worker": (
        "DELETE FROM shipments",
        "UPDATE shipments SET pro_number = 'S1'",
        "UPDATE stops SET address_line = ''",
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET comment = ''",
        "UPDATE shipment_controls SET auto_cancel_shipments = true",
        "SELECT password FROM users",
        "SELECT * FROM notifications",
        "SELECT * FROM data_retention",
        "SELECT * FROM trenova_jobs.deliveries",
        "SELECT * FROM trenova_jobs.legal_holds",
        "UPDATE trenova_jobs.job_run_batches SET rows = 0",
        "DELETE FROM trenova_jobs.idempotency_keys",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_notification_worker": (
        "SELECT * FROM shipments",
        "SELECT id FROM audit_entries",
        "DELETE FROM notifications",
        "SELECT password FROM users",
        "SELECT * FROM trenova_jobs.idempotency_keys",
        "SELECT * FROM trenova_jobs.job_runs",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_system_worker": (
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET comment = ''",
        "INSERT INTO audit_entries (id) VALUES ('ae_forged')",
        "SELECT changes FROM audit_entries",
        "UPDATE data_retention SET audit_retention_period = 1",
        "INSERT INTO data_retention (id) VALUES ('dr_forged')",
        "UPDATE trenova_jobs.legal_holds SET released_at = 1",
        "DELETE FROM trenova_jobs.legal_holds",
        "DELETE FROM trenova_jobs.job_run_batches",
        "SELECT * FROM shipments",
        "SELECT name FROM users",
        "DROP TRIGGER audit_entries_append_only ON audit_entries",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        (
            "CREATE OR REPLACE FUNCTION trenova_jobs.purge_audit_entries(text, text, bigint, text, integer, bigint) "
            "RETURNS TABLE (entry_id text, entry_at bigint) LANGUAGE sql AS 'SELECT NULL::text, 1::bigint'"
        ),
    ),
}
NOBODY = (
    "SET ROLE trenova_retention",
    "CREATE TABLE public.mine (id text)",
    "CREATE ROLE another",
    "UPDATE users SET password = ''",
    "COPY users TO PROGRAM 'true'",
)


@pytest.mark.parametrize(
    ("name", "statement"),
    [(name, statement) for name in EVERYBODY for statement in (*FORBIDDEN[name], *NOBODY)],
)
async def test_each_role_is_refused_what_is_not_its_own(tms, name, statement):
    async with role(tms, name) as database:
        with pytest.raises(ApplicationError) as caught:
            async with database.write() as connection:
                await connection.exec_driver_sql(statement)
        assert caught.value.facts["sqlstate"] == "42501", statement


@pytest.mark.parametrize("name", WORKERS)
async def test_no_worker_makes_tables_beside_ours(tms, name):
    async with role(tms, name) as database:
        with pytest.raises(ApplicationError):
            async with database.write() as connection:
                await connection.exec_driver_sql("CREATE TABLE trenova_jobs.mine (id text)")


async def test_even_a_superuser_and_the_retention_role_itself_cannot_change_the_log(tms):
    async with Database.open(DatabaseOptions(url=tms[1])) as database:
        for statements in (
            ("DELETE FROM audit_entries",),
            ("UPDATE audit_entries SET comment = ''",),
            ("SET ROLE trenova_retention", "UPDATE audit_entries SET comment = ''"),
        ):
            with pytest.raises(ApplicationError):
                async with database.write() as connection:
                    for statement in statements:
                        await connection.exec_driver_sql(statement)
