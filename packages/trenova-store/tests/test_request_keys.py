import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

from trenova_errors import ConflictError
from trenova_store import KeyClaim, RequestKeys

TABLE = Table(
    "keys",
    MetaData(),
    Column("scope", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(64)),
    Column("response", JSON(none_as_null=True)),
    Column("created_at", Integer),
)


@pytest.fixture
async def keys(engine):
    async with engine.write() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
    return RequestKeys(engine, TABLE, kept=timedelta(days=7))


async def test_of_many_at_once_one_finds_a_key_fresh_and_the_first_answer_stays(keys):
    claims = await asyncio.gather(*(keys.claim("ann", "k", "d") for _ in range(6)))
    assert [claim.fresh for claim in claims].count(True) == 1
    await keys.answer("ann", "k", {"status": 201})
    await keys.answer("ann", "k", {"status": 500})
    assert await keys.claim("ann", "k", "d") == KeyClaim(fresh=False, response={"status": 201})


async def test_a_key_is_the_callers_own_and_of_one_request(keys):
    await keys.claim("ann", "k", "d")
    assert (await keys.claim("bob", "k", "other")).fresh
    with pytest.raises(ConflictError, match="'k' was used for another request"):
        await keys.claim("ann", "k", "other")


async def test_a_key_without_an_answer_is_given_back_and_one_with_an_answer_is_not(keys):
    await keys.claim("ann", "k", "d")
    await keys.release("ann", "k")
    assert (await keys.claim("ann", "k", "d")).fresh
    await keys.answer("ann", "k", {})
    await keys.release("ann", "k")
    assert not (await keys.claim("ann", "k", "d")).fresh


async def test_a_claim_forgets_keys_that_are_older_than_they_are_kept(engine, keys):
    await keys.claim("ann", "old", "d")
    await keys.claim("ann", "young", "d")
    aged = TABLE.update().where(TABLE.c.key == "old").values(created_at=TABLE.c.created_at - 7 * 86_400 - 60)
    async with engine.write() as connection:
        await connection.execute(aged)
    assert (await keys.claim("ann", "old", "other")).fresh
    assert not (await keys.claim("ann", "young", "d")).fresh
    assert await keys.forget(before=datetime.now(UTC) + timedelta(minutes=1)) == 2
