"""Failures of real SQLite files, through sqlite3 and through SQLAlchemy with aiosqlite."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from trenova_errors import Classification, classify

Run = Callable[..., None]


def by_sqlite3(path: str, *statements: str) -> None:
    connection = sqlite3.connect(path, timeout=0, uri=True)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def by_alchemy(path: str, *statements: str) -> None:
    async def run() -> None:
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}{'&' if '?' in path else '?'}uri=true",
            poolclass=NullPool,
            connect_args={"timeout": 0},
        )
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    asyncio.run(run())


EVERY = pytest.mark.parametrize("run", [by_sqlite3, by_alchemy])


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "hunter2.db"
    by_sqlite3(
        f"file:{file}", "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT NOT NULL)", "INSERT INTO t VALUES (1, '')"
    )
    return f"file:{file}"


def failing(run: Run, path: str, *statements: str) -> Classification:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        run(path, *statements)
    found = classify(caught.value)
    assert "hunter2" not in repr(found)
    return found


@EVERY
@pytest.mark.parametrize(
    ("statements", "kind", "code"),
    [
        (["INSERT INTO t VALUES (1, 'hunter2')"], "data_integrity", "SQLITE_CONSTRAINT_PRIMARYKEY"),
        (["INSERT INTO t VALUES (2, NULL)"], "data_integrity", "SQLITE_CONSTRAINT_NOTNULL"),
        (["INSERT INTO t VALUES ('hunter2', '')"], "invalid_input", "SQLITE_MISMATCH"),
        (["SELECT * FROM hunter2"], "configuration", "SQLITE_ERROR"),
        (["SELEC 1"], "configuration", "SQLITE_ERROR"),
        (["SELECT zeroblob(2000000000)"], "payload_too_large", "SQLITE_TOOBIG"),
        (
            [
                "PRAGMA max_page_count = 2",
                "INSERT INTO t SELECT value, hex(randomblob(4000)) FROM json_each('[5,6,7,8]')",
            ],
            "unavailable",
            "SQLITE_FULL",
        ),
        (["ATTACH DATABASE '/nowhere/hunter2.db' AS other"], "configuration", "SQLITE_CANTOPEN"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_statement_that_fails_is_decided_by_its_extended_code(path, run: Run, statements, kind, code):
    found = failing(run, path, *statements)

    assert (found.kind, found.source) == (kind, f"SQLite {code}")


@EVERY
def test_a_database_that_another_writes_to_may_be_written_later(path, run: Run):
    holder = sqlite3.connect(path, uri=True, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    found = failing(run, path, "INSERT INTO t VALUES (2, '')")
    holder.close()

    assert (found.kind, found.source, found.retryable) == ("retryable", "SQLite SQLITE_BUSY", True)


@EVERY
def test_a_table_that_is_locked_in_a_shared_cache_may_be_read_later(path, run: Run):
    holder = sqlite3.connect(f"{path}?cache=shared", uri=True, isolation_level=None)
    holder.execute("BEGIN")
    holder.execute("INSERT INTO t VALUES (2, '')")
    found = failing(run, f"{path}?cache=shared", "SELECT * FROM t")
    holder.close()

    assert (found.kind, found.source, found.retryable) == ("retryable", "SQLite SQLITE_LOCKED_SHAREDCACHE", True)


@EVERY
def test_a_snapshot_that_is_out_of_date_may_be_written_from_later(path, run: Run):
    by_sqlite3(path, "PRAGMA journal_mode = WAL")
    connection = sqlite3.connect(path, uri=True, isolation_level=None, timeout=0)
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM t").fetchall()
    run(path, "INSERT INTO t VALUES (2, '')")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO t VALUES (3, '')")
    connection.close()

    found = classify(caught.value)
    assert (found.kind, found.source) == ("retryable", "SQLite SQLITE_BUSY_SNAPSHOT")


@EVERY
def test_a_database_that_may_not_be_written_is_a_matter_of_configuration(path, run: Run):
    found = failing(run, f"{path}?mode=ro", "INSERT INTO t VALUES (2, '')")

    assert (found.kind, found.source) == ("configuration", "SQLite SQLITE_READONLY")


@EVERY
def test_a_file_that_is_no_database_is_a_matter_of_configuration(tmp_path, run: Run):
    (tmp_path / "hunter2.db").write_bytes(b"hunter2" * 1000)
    found = failing(run, f"file:{tmp_path}/hunter2.db", "SELECT * FROM t")

    assert (found.kind, found.source) == ("configuration", "SQLite SQLITE_NOTADB")


@EVERY
def test_a_damaged_database_is_not_asked_again(path, run: Run):
    file = Path(path.removeprefix("file:"))
    damaged = bytearray(file.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    file.write_bytes(damaged)
    found = failing(run, path, "SELECT * FROM t")

    assert (found.kind, found.retryable) == ("data_integrity", False)
    assert found.source.startswith("SQLite SQLITE_CORRUPT")


def test_a_statement_that_is_interrupted_may_be_run_again(path):
    connection = sqlite3.connect(path, uri=True)
    connection.set_progress_handler(lambda: 1, 1000)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c")
    connection.close()

    assert classify(caught.value).source == "SQLite SQLITE_INTERRUPT"


def test_a_connection_that_is_closed_is_a_mistake_of_the_program(path):
    connection = sqlite3.connect(path, uri=True)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError) as caught:
        connection.execute("SELECT 1")

    assert classify(caught.value).kind == "non_retryable"
