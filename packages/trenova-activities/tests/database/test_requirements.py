import pytest
from sqlalchemy import text

from trenova_activities.database import JOBS, Database, DatabaseOptions, check, migrate
from trenova_activities.database._requirements import NOTIFICATION, ready_catalog
from trenova_errors import ConfigurationError

DUPLICATE = "duplicate_shipment"
CANCEL = "cancel_shipments"
TRANSFER = "transfer_shipments"
OTHERS = [job for job in JOBS if job != "delete_audit_entries"]  # an append-only log lets nobody delete at first


async def execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_the_embedded_tms_lacks_nothing(embedded):
    assert await check(embedded, OTHERS) == {job: [] for job in OTHERS}


async def test_a_current_tms_lacks_nothing(foreign):
    assert await check(foreign, OTHERS) == {job: [] for job in OTHERS}


async def test_an_empty_database_lacks_every_table(empty):
    lacks = await check(empty)

    assert "the table shipments is missing" in lacks[DUPLICATE]
    assert "the table notifications is missing" in lacks[NOTIFICATION]
    assert any("our own table" in sentence and "db migrate" in sentence for sentence in lacks[DUPLICATE])


async def test_each_job_lacks_only_what_it_needs_itself(foreign):
    await execute(foreign, "DROP TABLE notifications")

    assert await check(foreign, OTHERS) == {
        DUPLICATE: [],
        CANCEL: [],
        TRANSFER: [],
        NOTIFICATION: ["the table notifications is missing"],
    }


async def test_a_missing_column_is_named(foreign):
    await execute(foreign, "ALTER TABLE shipments DROP COLUMN bol CASCADE")

    assert await check(foreign, [DUPLICATE]) == {DUPLICATE: ["shipments has no column bol"]}


async def test_every_name_for_a_missing_column_is_named(foreign):
    await execute(foreign, "ALTER TABLE stops RENAME scheduled_window_start TO arrival")

    assert await check(foreign, [DUPLICATE]) == {
        DUPLICATE: ["stops has neither planned_arrival nor scheduled_window_start"]
    }


async def test_a_new_mandatory_column_of_the_log_is_lacking(foreign):
    await execute(
        foreign,
        "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only",
        "ALTER TABLE audit_entries ADD region text NOT NULL DEFAULT 'x', ADD zone text NOT NULL DEFAULT 'y'",
        "ALTER TABLE audit_entries ALTER region DROP DEFAULT",
    )

    assert await check(foreign, [DUPLICATE]) == {
        DUPLICATE: ["audit_entries.region is NOT NULL without a default and unknown to the job"]
    }


async def test_a_new_mandatory_column_of_a_copied_table_is_copied(foreign):
    await execute(
        foreign,
        "ALTER TABLE shipments ADD region text NOT NULL DEFAULT 'x'",
        "ALTER TABLE shipments ALTER region DROP DEFAULT",
    )

    assert await check(foreign, [DUPLICATE]) == {DUPLICATE: []}


async def test_an_unknown_status_is_lacking(foreign):
    await execute(foreign, "ALTER TYPE move_status_enum RENAME VALUE 'New' TO 'Open'")

    assert await check(foreign, [DUPLICATE]) == {DUPLICATE: ["shipment_moves.status does not know the value 'New'"]}


async def test_a_tms_that_cannot_cancel_lacks_the_value(foreign):
    await execute(
        foreign,
        "ALTER TYPE stop_status_enum RENAME VALUE 'Canceled' TO 'Void'",
        "ALTER TABLE shipment_controls DROP COLUMN auto_cancel_shipments_threshold",
        "ALTER TABLE shipments DROP COLUMN canceled_by_id",
    )

    assert await check(foreign, [CANCEL]) == {
        CANCEL: [
            "shipment_controls has no column auto_cancel_shipments_threshold",
            "shipments has no column canceled_by_id",
            "stops.status does not know the value 'Canceled'",
        ]
    }


async def test_a_log_that_demands_a_user_needs_the_system_user(foreign):
    await execute(
        foreign,
        "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only",
        "DELETE FROM audit_entries WHERE user_id IS NULL",
        "ALTER TABLE audit_entries ALTER user_id SET NOT NULL",
    )
    lacking = await check(foreign, [CANCEL])
    await execute(
        foreign, "UPDATE users SET email_address = 'system@trenova.app' WHERE id = (SELECT min(id) FROM users)"
    )

    [sentence] = lacking[CANCEL]
    assert sentence.startswith("audit_entries.user_id is NOT NULL and there is no user 'system@trenova.app'")
    assert await check(foreign, [CANCEL]) == {CANCEL: []}


async def test_sequences_without_their_unique_key_are_lacking(foreign):
    await execute(
        foreign,
        "ALTER TABLE sequences DROP CONSTRAINT sequences_sequence_type_organization_id_business_unit_id_ye_key",
    )

    [sentence] = (await check(foreign, [DUPLICATE]))[DUPLICATE]
    assert sentence.startswith("sequences has no unique key over exactly (business_unit_id, month, ")


async def test_missing_privileges_are_named(current_tms_url, postgres_server):
    grants = (
        "CREATE ROLE reader LOGIN",
        "GRANT USAGE ON SCHEMA public, trenova_jobs TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, trenova_jobs TO reader",
    )
    for grant in grants:
        postgres_server.execute(grant, database=current_tms_url)
    try:
        url = current_tms_url.replace("postgres@", "reader@")
        async with Database.open(DatabaseOptions(url=url)) as database:
            lacks = await check(database, [NOTIFICATION])
    finally:
        postgres_server.execute("DROP OWNED BY reader", database=current_tms_url)
        postgres_server.execute("DROP ROLE reader")

    rights = [f"this user lacks the privilege {right} on notifications" for right in ("INSERT", "UPDATE")]
    assert lacks == {NOTIFICATION: rights}


async def test_a_tms_in_a_named_schema_is_found_there(empty_postgres_url):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, schema_name="tms")) as database:
        await migrate(database)

        assert await check(database, OTHERS) == {job: [] for job in OTHERS}


async def test_a_worker_refuses_with_the_whole_list(foreign):
    await execute(foreign, "ALTER TABLE shipments DROP COLUMN bol CASCADE", "DROP TABLE sequences")

    with pytest.raises(ConfigurationError, match="no column bol; the table sequences is missing") as caught:
        await ready_catalog(foreign, DUPLICATE)
    assert caught.value.facts["lacking"] == 2


async def test_a_ready_database_gives_the_catalog(foreign):
    catalog = await ready_catalog(foreign, DUPLICATE)

    assert catalog.first("stops", "planned_arrival", "scheduled_window_start") == "scheduled_window_start"


async def test_an_unknown_job_is_refused(embedded):
    with pytest.raises(ConfigurationError, match="no job 'fly'; name one of"):
        await check(embedded, ["fly"])
