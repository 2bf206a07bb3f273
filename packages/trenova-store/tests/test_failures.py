import pytest
from sqlalchemy import text

from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConfigurationError,
    DataIntegrityError,
    InvalidInputError,
    RetryableError,
    UnavailableError,
)
from trenova_store import StoreDriverError
from trenova_store.testing import PostgresServer


async def fails(engine, *statements: str) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        async with engine.write() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    assert isinstance(caught.value.__cause__, StoreDriverError)
    return caught.value


async def test_refused_rows_are_a_matter_of_the_data_and_their_values_reach_no_message(engine):
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE secrets (s varchar(100) PRIMARY KEY)"))
    error = await fails(engine, "INSERT INTO secrets VALUES ('hunter2')", "INSERT INTO secrets VALUES ('hunter2')")
    assert isinstance(error, DataIntegrityError)
    assert "hunter2" not in f"{error} {error.__cause__} {error.facts!r}"


async def test_tables_that_are_not_there_name_the_command_that_makes_them(engine):
    error = await fails(engine, "SELECT * FROM nowhere")
    assert isinstance(error, ConfigurationError)
    assert "or run 'shelves db migrate'" in error.message
    assert engine.options.place in error.message


async def test_a_number_that_no_column_holds_is_a_matter_of_the_input(engine):
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE loads (id bigint)"))
    with pytest.raises(InvalidInputError, match="does not fit its column"):
        async with engine.write() as connection:
            await connection.execute(text("INSERT INTO loads VALUES (:id)"), {"id": 2**80})


async def test_nobody_listening_is_unavailable_and_no_password_is_told(opened):
    engine = opened("postgresql://nobody:hunter2@127.0.0.1:1/none", connect_timeout_s=2)
    error = await fails(engine, "SELECT 1")
    assert isinstance(error, UnavailableError)
    assert "127.0.0.1:1/none" in error.message
    assert "hunter2" not in str(error)
    await engine.close()


async def test_a_lock_that_does_not_come_free_is_retried(tmp_path, opened):
    engine = opened(f"sqlite:///{tmp_path}/store.db", lock_timeout_s=0.1)
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE numbers (n integer)"))
        assert isinstance(await fails(engine, "INSERT INTO numbers VALUES (1)"), RetryableError)
    await engine.close()


async def test_no_connection_free_in_time_names_the_option(postgres_url, opened):
    engine = opened(postgres_url, pool_size=1, connect_timeout_s=0.2)
    async with engine.read():
        error = await fails(engine, "SELECT 1")
    assert "Raise pool_size" in error.message
    await engine.close()


async def test_a_connection_lost_before_the_commit_wrote_nothing_and_lost_during_it_is_ambiguous(opened):
    with PostgresServer() as server:
        engine = opened(server.create_database())
        async with engine.write() as connection:
            await connection.execute(text("CREATE TABLE numbers (n integer)"))
        mine = "pid <> pg_backend_pid() AND state = 'idle in transaction'"
        kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"

        with pytest.raises(UnavailableError):
            async with engine.write() as connection:
                await connection.execute(text("INSERT INTO numbers VALUES (1)"))
                server.execute(kill)
                await connection.execute(text("INSERT INTO numbers VALUES (2)"))
        with pytest.raises(AmbiguousOutcomeError, match="Read back before deciding"):
            async with engine.write() as connection:
                await connection.execute(text("INSERT INTO numbers VALUES (3)"))
                server.execute(kill)
        async with engine.read() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM numbers"))).scalar_one() == 0
        await engine.close()


async def test_what_is_no_failure_of_the_database_leaves_as_it_is(engine):
    with pytest.raises(LookupError):
        async with engine.write():
            raise LookupError
