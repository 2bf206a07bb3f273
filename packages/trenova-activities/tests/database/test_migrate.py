import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from trenova_activities.database import Database, DatabaseOptions, _migrate, migrate, seed
from trenova_activities.database._migrate import EMBEDDED, JOBS, head
from trenova_errors import ApplicationError, ConfigurationError

HEADS = {JOBS: head(JOBS), EMBEDDED: head(EMBEDDED)}


async def execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def tables(database: Database, schema: str | None = None) -> set[str]:
    async with database.read() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names(schema=schema)))


@pytest.mark.parametrize("tree", [JOBS, EMBEDDED])
def test_the_newest_file_of_a_tree_is_its_only_head(tree):
    script = ScriptDirectory(str(Path(_migrate.__file__).parent / "migrations" / tree))

    assert script.get_heads() == [head(tree)]
    assert len(list(script.walk_revisions())) == int(head(tree))


async def test_an_empty_database_gets_both_trees(empty):
    done = await migrate(empty)

    assert done == _migrate.Migration(embedded=True, changed=True, revisions=HEADS)
    assert {"shipments", "stops", "audit_entries", "notifications"} <= await tables(empty)


async def test_a_second_call_has_nothing_to_do(empty):
    await migrate(empty)

    assert await migrate(empty) == _migrate.Migration(embedded=True, changed=False, revisions=HEADS)


async def test_the_jobs_tree_creates_exactly_the_job_tables(empty):
    await migrate(empty, embedded=False)

    def differences(connection):
        def ours(name, kind, parents):
            if kind == "schema":
                return name == empty.jobs.metadata.schema
            return kind != "table" or (name or "").startswith("trenova_") or not empty.options.is_sqlite

        options = {"include_schemas": True, "include_name": ours, "compare_type": True, "compare_server_default": True}
        sqlite = empty.options.is_sqlite
        version = (None, "trenova_jobs_alembic_version") if sqlite else ("trenova_jobs", "alembic_version")
        options |= {"version_table_schema": version[0], "version_table": version[1]}
        return compare_metadata(MigrationContext.configure(connection, opts=options), empty.jobs.metadata)

    async with empty.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_jobs_only_leaves_the_tms_to_its_owner(empty):
    done = await migrate(empty, embedded=False)

    assert done.embedded is False
    assert done.revisions == {JOBS: head(JOBS)}
    assert "shipments" not in await tables(empty)


async def test_the_embedded_tms_can_follow_later(empty):
    await migrate(empty, embedded=False)

    assert (await migrate(empty, embedded=True)).revisions == HEADS


@pytest.mark.parametrize("table", ["shipments", "invoices"])
async def test_the_embedded_tms_is_refused_beside_tables_of_others(empty, table):
    await execute(empty, f"CREATE TABLE {table} (id varchar(100))")

    with pytest.raises(ConfigurationError, match=f"holds the table '{table}', which is not ours"):
        await migrate(empty, embedded=True)
    assert (await migrate(empty)).revisions == {JOBS: head(JOBS)}
    assert table in await tables(empty)


async def test_a_tms_in_another_schema_counts_too(empty_postgres_url):
    async with Database.open(DatabaseOptions(url=empty_postgres_url)) as database:
        await execute(database, "CREATE SCHEMA tms", "CREATE TABLE tms.shipments (id text)")

        assert (await migrate(database)).embedded is False


async def test_the_embedded_tms_can_have_a_schema_of_its_own(empty_postgres_url):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, schema_name="tms")) as database:
        first, second = await migrate(database), await migrate(database)

        assert (first.revisions, second.changed) == (HEADS, False)
        assert "shipments" in await tables(database, "tms")
        assert await tables(database) == set()


async def test_a_current_tms_only_gets_the_job_tables(foreign):
    before = await tables(foreign)

    assert (await migrate(foreign)).embedded is False
    assert await tables(foreign) == before
    assert "idempotency_keys" in await tables(foreign, "trenova_jobs")
    with pytest.raises(ConfigurationError, match="holds the table 'shipments'"):
        await migrate(foreign, embedded=True)


async def test_ten_at_once_in_one_process_migrate_once(empty_url):
    async def one() -> bool:
        async with Database.open(DatabaseOptions(url=empty_url)) as database:
            return (await migrate(database)).changed

    assert sorted(await asyncio.gather(*(one() for _ in range(10)))) == [False] * 9 + [True]


@pytest.mark.timeout(240)
def test_five_processes_at_once_migrate_once(empty_url):
    program = (
        "import asyncio, sys\n"
        "from trenova_activities.database import *\n"
        "async def one():\n"
        "    async with Database.open(DatabaseOptions(url=sys.argv[1])) as database:\n"
        "        print((await migrate(database)).changed)\n"
        "asyncio.run(one())\n"
    )
    command = [sys.executable, "-c", program, empty_url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    printed = [process.communicate(timeout=200)[0].strip() for process in started]

    assert sorted(printed) == ["False"] * 4 + ["True"]


async def test_a_failing_revision_leaves_nothing_behind(empty, monkeypatch):
    nothing = dict.fromkeys(("sqlite", "postgresql"), "SELECT NULL")
    monkeypatch.setattr(_migrate, "_FOREIGN_TABLES", nothing)
    await execute(empty, "CREATE TABLE additional_charges (id varchar(100))")  # the second revision meets it

    with pytest.raises(ApplicationError):
        await migrate(empty)
    assert await tables(empty) == {"additional_charges"}


async def test_a_database_of_a_newer_version_is_refused(embedded):
    await execute(embedded, "UPDATE trenova_embedded_alembic_version SET version_num = '9999'")

    with pytest.raises(ConfigurationError, match="at revision 9999 of 'embedded'; this installation knows"):
        await migrate(embedded)


async def test_nothing_to_do_does_not_even_load_alembic(tms_url):
    program = (
        "import asyncio, sys\n"
        "from trenova_activities.database import *\n"
        "async def one():\n"
        "    async with Database.open(DatabaseOptions(url=sys.argv[1])) as database:\n"
        "        await migrate(database)\n"
        "asyncio.run(one())\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, tms_url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)

    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET resource = 'x'", "DELETE FROM audit_entries"])
async def test_the_audit_log_is_append_only(embedded, statement):
    await execute(
        embedded,
        "INSERT INTO business_units (id, name, code) VALUES ('bu_1', 'B', 'B')",
        "INSERT INTO organizations (id, business_unit_id, name, scac_code, timezone) "
        "VALUES ('org_1', 'bu_1', 'O', 'ORGA', 'UTC')",
        "INSERT INTO audit_entries (id, organization_id, business_unit_id, resource, resource_id, "
        "operation, timestamp) VALUES ('ae_1', 'org_1', 'bu_1', 'shipment', 'shp_1', 'create', 1)",
    )

    with pytest.raises(ApplicationError):
        await execute(embedded, statement)
    async with embedded.read() as connection:
        assert (await connection.execute(text("SELECT resource FROM audit_entries"))).scalars().all() == ["shipment"]


async def test_the_rules_of_the_tms_are_checks_of_the_database(embedded):
    broken = (
        "UPDATE shipments SET status = 'Gone'",
        "UPDATE shipments SET freight_charge_amount = -1",
        "UPDATE shipments SET pieces = 0",
        "UPDATE shipments SET customer_id = 'cus_nobody'",
        "UPDATE shipments SET pro_number = 'S1'",
        "UPDATE stops SET planned_departure = planned_arrival - 1",
        "UPDATE stops SET type = 'Visit'",
        "UPDATE shipment_commodities SET weight = 0",
        "UPDATE additional_charges SET method = 'Weekly'",
    )
    await seed(embedded, organizations=1, shipments=30)
    for statement in broken:
        with pytest.raises(ApplicationError):
            await execute(embedded, statement)


async def test_a_user_without_the_right_to_create_schemas_migrates_one_made_for_it(empty_postgres_url, postgres_server):
    postgres_server.execute("CREATE ROLE worker LOGIN")
    postgres_server.execute("CREATE SCHEMA trenova_jobs AUTHORIZATION worker", database=empty_postgres_url)
    try:
        url = empty_postgres_url.replace("postgres@", "worker@")
        async with Database.open(DatabaseOptions(url=url)) as database:
            assert (await migrate(database, embedded=False)).revisions == {JOBS: head(JOBS)}
    finally:
        postgres_server.execute("DROP OWNED BY worker CASCADE", database=empty_postgres_url)
        postgres_server.execute("DROP ROLE worker")
