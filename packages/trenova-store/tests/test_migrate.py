import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from trenova_errors import ConfigurationError
from trenova_store import MigrationTree, StoreMigration, is_current, migrate

LOCK = 0x7368_656C_7665_7301
SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None


def upgrade() -> None:
    place = {{"schema": None}} if op.get_bind().dialect.name == "sqlite" else {{"schema": "trenova_jobs"}}
    op.create_table("shelves_{revision}", sa.Column("id", sa.Integer), **place)
"""


def revise(folder: Path, *revisions: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for before, revision in zip([None, *revisions], revisions, strict=False):
        (folder / f"{revision}_shelves.py").write_text(SCRIPT.format(revision=revision, before=before))


def tree_of(folder: Path, **further: object) -> MigrationTree:
    return MigrationTree(versions=folder, package="shelves", version_table="shelves_version", **further)


@pytest.fixture
def tree(tmp_path: Path) -> MigrationTree:
    # A folder may have any name.
    folder = tmp_path / "of a: 50%, or so" / "versions"
    revise(folder, "0001", "0002")
    return tree_of(folder)


async def test_a_database_is_brought_to_the_newest_revision_once(engine, tree):
    assert not await is_current(engine, tree)
    assert await migrate(engine, tree, lock=LOCK) == StoreMigration(changed=True, revision="0002")
    assert await migrate(engine, tree, lock=LOCK) == StoreMigration(changed=False, revision="0002")
    assert await is_current(engine, tree)
    async with engine.read() as connection:
        place = "" if engine.options.is_sqlite else "trenova_jobs."
        for revision in ("0001", "0002"):
            await connection.execute(text(f"SELECT id FROM {place}shelves_{revision}"))


async def test_the_version_table_bears_the_schema_of_the_tree(engine, tree):
    await migrate(engine, tree, lock=LOCK)
    place = "trenova_jobs_" if engine.options.is_sqlite else "trenova_jobs."
    async with engine.read() as connection:
        found = await connection.execute(text(f"SELECT version_num FROM {place}shelves_version"))
        assert found.scalar_one() == "0002"


async def test_two_trees_stand_beside_each_other(engine, tree, tmp_path):
    revise(tmp_path / "others", "0007")
    others = MigrationTree(versions=tmp_path / "others", package="others", version_table="others_version")
    await migrate(engine, tree, lock=LOCK)
    await migrate(engine, others, lock=LOCK + 1)
    async with engine.read() as connection:
        assert (await tree.found(connection), await others.found(connection)) == ("0002", "0007")


async def test_ten_may_migrate_at_once_and_one_does_it(url, opened, tree):
    engines = [opened(url) for _ in range(10)]
    done = await asyncio.gather(*(migrate(engine, tree, lock=LOCK) for engine in engines))
    assert [one.changed for one in done].count(True) == 1
    for engine in engines:
        await engine.close()


async def test_a_failed_revision_leaves_nothing_behind(engine, tree):
    bad = tree.versions / "0003_bad.py"
    bad.write_text(
        SCRIPT.format(revision="0003", before="0002") + "    raise LookupError('the third revision is broken')\n"
    )
    with pytest.raises(LookupError, match="third revision"):
        await migrate(engine, tree_of(tree.versions.parent / "." / "versions"), lock=LOCK)
    async with engine.read() as connection:
        assert await tree.found(connection) is None


async def test_tables_of_a_newer_version_are_left_alone(engine, tree, tmp_path):
    await migrate(engine, tree, lock=LOCK)
    revise(tmp_path / "older", "0001")
    older = tree_of(tmp_path / "older")
    for ask in (is_current(engine, older), migrate(engine, older, lock=LOCK)):
        with pytest.raises(ConfigurationError, match=r"revision 0002; this installation knows 0001.*shelves"):
            await ask


async def test_who_may_not_create_schemas_may_migrate_where_there_is_one(postgres_server, postgres_url, opened, tree):
    postgres_server.execute(
        "CREATE ROLE shelver LOGIN; CREATE SCHEMA trenova_jobs AUTHORIZATION shelver", database=postgres_url
    )
    engine = opened(postgres_url.replace("postgres@", "shelver@"))
    assert (await migrate(engine, tree, lock=LOCK)).changed
    await engine.close()


async def test_whoever_holds_the_lock_goes_first(postgres_server, postgres_url, opened, tree):
    engine = opened(postgres_url)
    async with engine.write() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        waiting = asyncio.create_task(migrate(engine, tree, lock=LOCK))
        blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while postgres_server.execute(blocked, database=postgres_url) == "0":  # noqa: ASYNC110  # another process has no event
            await asyncio.sleep(0.02)
        assert not waiting.done()
    assert (await waiting).changed
    await engine.close()
