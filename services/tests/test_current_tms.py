"""The real services on a TMS database that is not ours, as in production."""

import asyncio

import pytest
from service_processes import Services
from temporalio.client import WorkflowFailureError
from tms_rows import opened

from trenova_activities import start_duplicate
from trenova_activities.testing import CURRENT_TENANTS, PostgresServer

NORTH, SOUTH = CURRENT_TENANTS
# What a job could have changed of the schema: the definitions of tables, triggers and functions that are not ours.
SCHEMA = """
    SELECT 'trigger ' || tgrelid::regclass || ' ' || tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod)
        || ' ' || attnotnull::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
    UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND prokind = 'f'
    ORDER BY 1"""


@pytest.fixture
def production(stage: Services, current_tms_url: str) -> Services:
    """Services as production tells them where the database is, nothing else."""
    stage.environ |= {"TRENOVA_ENV": "prod", "TRENOVA_DATABASE__URL": current_tms_url}
    return stage


async def test_a_duplication_and_its_notification_leave_what_is_not_ours_untouched(
    production: Services, postgres_server: PostgresServer, current_tms_url: str
):
    schema = postgres_server.execute(SCHEMA, database=current_tms_url)
    await asyncio.to_thread(production.start, "shipment_worker", "notification_worker", "system_worker")
    async with opened(current_tms_url) as tms:
        before = await tms.counts()
        request = tms.request(
            organization_id=NORTH.organization_id,
            business_unit_id=NORTH.business_unit_id,
            user_id=NORTH.user_id,
            shipment_id=NORTH.shipment_id,
            override_dates=True,
        )
        asked = await tms.asked(request)
        client = await production.client()

        result = await (await start_duplicate(client, request)).result()
        await client.get_workflow_handle(f"{result.job_id}/notify").result()

        assert await tms.found(request, result.shipment_ids) == asked
        assert asked["stops"] == 18  # two moves of three stops, three times
        [told] = await tms.notifications(result.job_id)
        assert (told.delivery_status, told.target_user_id) == ("delivered", NORTH.user_id)
        assert "requested by Dana Whitfield" in told.message
        added = {table: rows - before[table] for table, rows in (await tms.counts()).items()}
    ours = {"notifications": 1, "deliveries": 1, "idempotency_keys": 1}
    changed = {table.rpartition(".")[2]: rows for table, rows in added.items() if rows}
    assert changed.pop("sequences") in {0, 1}
    assert changed == {**asked, **ours}
    assert postgres_server.execute(SCHEMA, database=current_tms_url) == schema
    for statement in ("UPDATE audit_entries SET comment = ''", "DELETE FROM audit_entries"):
        with pytest.raises(RuntimeError, match="append-only"):
            postgres_server.execute(statement, database=current_tms_url)


@pytest.mark.slow
async def test_a_shipment_of_the_other_tenant_is_not_found(production: Services, current_tms_url: str):
    await asyncio.to_thread(production.start, "shipment_worker", "notification_worker")
    async with opened(current_tms_url) as tms:
        request = tms.request(
            organization_id=NORTH.organization_id,
            business_unit_id=NORTH.business_unit_id,
            user_id=NORTH.user_id,
            shipment_id=SOUTH.shipment_id,
        )
        client = await production.client()
        handle = await start_duplicate(client, request)

        failure = await asyncio.wait_for(_failure(handle), 20)

        assert (failure.type, failure.non_retryable) == ("resource_not_found", True)
        await client.get_workflow_handle(f"{handle.id}/notify").result()
        [told] = await tms.notifications(handle.id)
        assert (told.organization_id, told.target_user_id) == (NORTH.organization_id, NORTH.user_id)


def test_production_makes_no_sample_tms_in_an_empty_database(
    stage: Services, postgres_server: PostgresServer, empty_postgres_url: str
):
    stage.environ |= {"TRENOVA_ENV": "prod", "TRENOVA_DATABASE__URL": empty_postgres_url}

    stage.prepare("shipment_worker")
    refused = stage.call("shipment_worker", "run")

    made = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    assert postgres_server.execute(made, database=empty_postgres_url) == "trenova_jobs"
    assert refused.returncode != 0
    assert "the table shipments is missing" in refused.stderr


@pytest.mark.slow
def test_a_worker_refuses_a_database_that_lacks_columns_with_the_whole_list(
    production: Services, postgres_server: PostgresServer, current_tms_url: str
):
    for change in (
        "ALTER TABLE shipment_commodities DROP COLUMN weight",
        "ALTER TABLE stops DROP COLUMN sequence CASCADE",
        "ALTER TABLE additional_charges ALTER COLUMN amount DROP NOT NULL",  # of no concern
        "DROP TABLE sequences",
        "ALTER TABLE notifications DROP COLUMN title",
        "DROP TABLE shipment_controls",
    ):
        postgres_server.execute(change, database=current_tms_url)
    lacking = [
        "shipment_commodities has no column weight",
        "stops has no column sequence",
        "the table sequences is missing",
        "the table shipment_controls is missing",
    ]
    production.prepare("shipment_worker", "notification_worker", "system_worker")

    shipment = production.call("shipment_worker", "run")
    notification = production.call("notification_worker", "run")

    assert shipment.returncode != 0
    assert "Traceback" not in shipment.stderr
    for sentence in lacking:
        assert sentence in shipment.stderr
    assert "title" not in shipment.stderr  # another job's affair
    assert notification.returncode != 0
    assert "notifications has no column title" in notification.stderr
    checked = production.call("notification_worker", "check")
    assert checked.returncode == 1
    assert "notifications has no column title" in " ".join(checked.stdout.split())
    other = production.call("system_worker", "check")
    assert other.returncode == 1
    assert "append-only" in other.stdout
    assert "notifications" not in other.stdout  # another service's affair


def test_the_check_of_the_system_worker_lists_what_every_job_lacks(
    production: Services, postgres_server: PostgresServer, current_tms_url: str
):
    postgres_server.execute("ALTER TABLE stops DROP COLUMN location_id CASCADE", database=current_tms_url)
    production.start("system_worker")

    async def look():
        client = await production.client()
        return await client.execute_workflow(
            "CheckDatabaseWorkflow", {}, id="check", task_queue="system-queue", result_type=dict
        )

    result = asyncio.run(look())

    assert result["ready"] is False
    lacks = {job["job"]: job["lacks"] for job in result["jobs"]}
    [closed] = lacks.pop("delete_audit_entries")
    assert "'audit_entries_append_only' on audit_entries refuses every deletion" in closed
    assert "db allow-retention" in closed
    assert lacks == {
        "cancel_shipments": [],
        "duplicate_shipment": ["stops has no column location_id"],
        "notification": [],
        "transfer_shipments": ["stops has no column location_id"],
    }


@pytest.mark.slow
def test_a_job_that_can_run_is_served_beside_one_that_cannot(
    production: Services, postgres_server: PostgresServer, current_tms_url: str
):
    postgres_server.execute("ALTER TABLE stops DROP COLUMN location_id CASCADE", database=current_tms_url)

    [worker] = production.start("shipment_worker")

    assert worker.readyz()[0] == 200
    assert "stops has no column location_id" in worker.log.read_text()
    assert worker.drain() == 0


async def _failure(handle):
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    return failed.value.cause.cause
