import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from trenova_errors import ConfigurationError
from trenova_schedules.store import ScheduleStore, StoreOptions, migrate


async def test_ten_processes_may_migrate_at_once(url):
    stores = [ScheduleStore(StoreOptions(url=url)) for _ in range(10)]
    try:
        done = await asyncio.gather(*(migrate(store) for store in stores))
    finally:
        for store in stores:
            await store.close()
    assert [migration.changed for migration in done].count(True) == 1
    assert {migration.revision for migration in done} == {"0003"}


async def test_the_migrations_make_exactly_the_tables_that_the_code_describes(store):
    engine = store._engine

    def differences(connection):
        def ours(name, kind, parents):
            return kind != "table" or name.removeprefix("trenova_jobs_") in known

        known = {table.name.removeprefix("trenova_jobs_") for table in engine.tables.metadata.tables.values()}
        options = {"include_schemas": True, "include_name": ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, engine.tables.metadata)

    async with engine.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_version_table_stands_beside_those_of_other_packages(store):
    place = "trenova_jobs_" if store.options.is_sqlite else "trenova_jobs."
    async with store._engine.read() as connection:
        found = await connection.execute(text(f"SELECT version_num FROM {place}trenova_schedules_alembic_version"))
        assert found.scalar_one() == "0003"


async def test_a_store_of_a_newer_version_is_left_alone(store):
    place = "trenova_jobs_" if store.options.is_sqlite else "trenova_jobs."
    async with store._engine.write() as connection:
        await connection.execute(text(f"UPDATE {place}trenova_schedules_alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="revision 9999; this installation knows 0003"):
        await migrate(store)


async def test_a_store_without_tables_says_what_to_do(url):
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        with pytest.raises(ConfigurationError, match="trenova-schedules db migrate"):
            await store.registry.count()
