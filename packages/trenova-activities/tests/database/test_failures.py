import asyncio

import pytest
from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions
from trenova_activities.testing import PostgresServer
from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConfigurationError,
    DataIntegrityError,
    RetryableError,
    UnavailableError,
)


async def fails(database: Database, *statements: str) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        async with database.write() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    assert caught.value.__cause__ is not None
    return caught.value


async def test_a_constraint_is_a_matter_of_the_data_and_says_whether_it_was_uniqueness(empty: Database):
    async with empty.write() as connection:
        await connection.execute(text("CREATE TABLE numbers (n integer PRIMARY KEY CHECK (n > 0), m integer NOT NULL)"))

    twice = await fails(empty, "INSERT INTO numbers VALUES (1, 1)", "INSERT INTO numbers VALUES (1, 2)")
    negative = await fails(empty, "INSERT INTO numbers VALUES (-1, 1)")
    absent = await fails(empty, "INSERT INTO numbers VALUES (2, NULL)")

    for error, unique in ((twice, True), (negative, False), (absent, False)):
        assert isinstance(error, DataIntegrityError)
        assert error.facts["unique"] is unique
    async with empty.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM numbers"))).scalar_one() == 0


async def test_values_never_reach_a_message(empty: Database):
    async with empty.write() as connection:
        await connection.execute(text("CREATE TABLE secrets (s varchar(100) PRIMARY KEY)"))

    error = await fails(empty, "INSERT INTO secrets VALUES ('hunter2')", "INSERT INTO secrets VALUES ('hunter2')")

    assert "hunter2" not in str(error)
    assert "hunter2" not in repr(error.facts)


async def test_a_missing_table_is_a_matter_of_configuration_on_postgresql(empty_postgres_url: str):
    async with Database.open(DatabaseOptions(url=empty_postgres_url)) as database:
        error = await fails(database, "SELECT * FROM nowhere")

    assert isinstance(error, ConfigurationError)
    assert error.facts["sqlstate"] == "42P01"


@pytest.mark.parametrize(
    ("statement", "meant"),
    [
        ("SELECT 'hunter2' FROM nowhere", "a table is not there (SQLSTATE 42P01"),
        ("SELECT hunter2 FROM kept", "a column is not there (SQLSTATE 42703"),
        ("SELECT no_such_function('hunter2')", "a function is not there (SQLSTATE 42883"),
        ("SELECT * FROM kept WHERE n = 'hunter2'", "this user lacks a privilege (SQLSTATE 42501"),
    ],
)
async def test_a_refused_statement_says_what_is_lacking_and_how_to_find_it(empty_postgres_url, statement, meant):
    async with Database.open(DatabaseOptions(url=empty_postgres_url)) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE kept (n text)"))
        role = ("SET LOCAL ROLE pg_monitor",) if "privilege" in meant else ()
        error = await fails(database, *role, statement)

    assert isinstance(error, ConfigurationError)
    assert meant in error.message
    assert "'trenova-activities db check --job <job>'" in error.message
    assert "hunter2" not in error.message


async def test_a_database_that_does_not_exist_is_a_matter_of_configuration(empty_postgres_url: str):
    url = f"{empty_postgres_url.rpartition('/')[0]}/no_such_database"
    async with Database.open(DatabaseOptions(url=url)) as database:
        error = await fails(database, "SELECT 1")

    assert isinstance(error, ConfigurationError)


async def test_nobody_listening_is_unavailable():
    url = "postgresql://nobody:hunter2@127.0.0.1:1/none"
    async with Database.open(DatabaseOptions(url=url, connect_timeout_s=2)) as database:
        error = await fails(database, "SELECT 1")

    assert isinstance(error, UnavailableError)
    assert "hunter2" not in str(error)


async def test_a_lock_that_does_not_come_free_is_retried_and_nothing_is_written(tmp_path):
    options = DatabaseOptions(url=f"sqlite:///{tmp_path}/tms.db", lock_timeout_s=0.1)
    async with Database.open(options) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE numbers (n integer)"))
            error = await fails(database, "INSERT INTO numbers VALUES (1)")
        assert isinstance(error, RetryableError)


async def test_a_row_lock_that_does_not_come_free_is_retried(empty_postgres_url: str):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, lock_timeout_s=0.2)) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE numbers AS SELECT 1 AS n"))
        async with database.write() as connection:
            await connection.execute(text("UPDATE numbers SET n = 2"))
            error = await fails(database, "UPDATE numbers SET n = 3")
    assert isinstance(error, RetryableError)
    assert error.facts["sqlstate"] == "55P03"


async def test_a_deadlock_is_retried(empty_postgres_url: str):
    async with Database.open(DatabaseOptions(url=empty_postgres_url)) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 2) n"))

        async def cross(first: int, second: int, met: asyncio.Barrier) -> None:
            async with database.write() as connection:
                await connection.execute(text(f"UPDATE numbers SET n = n WHERE n = {first}"))
                await met.wait()
                await connection.execute(text(f"UPDATE numbers SET n = n WHERE n = {second}"))

        met = asyncio.Barrier(2)
        outcomes = await asyncio.gather(cross(1, 2, met), cross(2, 1, met), return_exceptions=True)
    [error] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(error, RetryableError)
    assert error.facts["sqlstate"] == "40P01"


async def test_a_statement_that_takes_too_long_is_retried(empty_postgres_url: str):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, statement_timeout_s=0.2)) as database:
        error = await fails(database, "SELECT pg_sleep(5)")

    assert isinstance(error, RetryableError)


async def test_a_connection_lost_before_the_commit_wrote_nothing_and_lost_during_it_is_ambiguous():
    with PostgresServer() as server:
        async with Database.open(DatabaseOptions(url=server.create_database())) as database:
            async with database.write() as connection:
                await connection.execute(text("CREATE TABLE numbers (n integer)"))
            mine = "pid <> pg_backend_pid() AND state = 'idle in transaction'"
            kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"

            with pytest.raises(UnavailableError):
                async with database.write() as connection:
                    await connection.execute(text("INSERT INTO numbers VALUES (1)"))
                    server.execute(kill)
                    await connection.execute(text("INSERT INTO numbers VALUES (2)"))
            with pytest.raises(AmbiguousOutcomeError):
                async with database.write() as connection:
                    await connection.execute(text("INSERT INTO numbers VALUES (3)"))
                    server.execute(kill)
            async with database.read() as connection:
                assert (await connection.execute(text("SELECT count(*) FROM numbers"))).scalar_one() == 0
