import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from trenova_store import insert_missing, upsert

TABLE = Table(
    "loads",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("what", String(20)),
    Column("first", Integer),
    Column("at", Integer),
)


@pytest.fixture
async def connection(engine):
    async with engine.write() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
        yield connection


async def rows(connection):
    return [tuple(row) for row in await connection.execute(select(TABLE).order_by(TABLE.c.id))]


def row(number: int, what: str, at: int) -> dict[str, object]:
    return {"id": number, "what": what, "first": at, "at": at}


async def test_what_is_there_is_left_alone_and_one_row_says_whether_it_is_new(connection):
    assert await insert_missing(connection, TABLE, [row(1, "pallets", 1)], key=("id",)) == 1
    assert await insert_missing(connection, TABLE, [row(1, "crates", 2)], key=("id",)) == 0
    await insert_missing(connection, TABLE, [row(1, "crates", 2), row(2, "drums", 2)], key=("id",))
    assert await insert_missing(connection, TABLE, [], key=("id",)) == 0
    assert await rows(connection) == [(1, "pallets", 1, 1), (2, "drums", 2, 2)]


async def test_a_row_that_is_there_is_replaced_but_for_what_it_keeps(connection):
    await upsert(connection, TABLE, [row(1, "pallets", 1)], key=("id",))
    await upsert(connection, TABLE, [row(1, "crates", 2), row(2, "drums", 2)], key=("id",), keep=("first",))
    await upsert(connection, TABLE, [], key=("id",))
    assert await rows(connection) == [(1, "crates", 1, 2), (2, "drums", 2, 2)]


async def test_what_is_older_does_not_replace_what_is_newer(connection):
    await upsert(connection, TABLE, [row(1, "pallets", 5)], key=("id",))
    await upsert(connection, TABLE, [row(1, "crates", 4)], key=("id",), newer="at")
    assert await rows(connection) == [(1, "pallets", 5, 5)]
    await upsert(connection, TABLE, [row(1, "drums", 6)], key=("id",), newer="at")
    assert await rows(connection) == [(1, "drums", 6, 6)]
