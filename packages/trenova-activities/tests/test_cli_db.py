import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from typer.testing import CliRunner

from trenova_activities.cli import app
from trenova_activities.database import Database, DatabaseOptions, migrate


@pytest.fixture
def run(tmp_path):
    runner = CliRunner()

    def invoke(*arguments, **environ):
        given = {"TRENOVA_DATA_DIR": str(tmp_path / "data"), "TRENOVA_DATABASE__URL": None, "COLUMNS": "200"}
        return runner.invoke(app, ["db", *arguments], env=given | environ)

    return invoke


def test_a_database_is_created_filled_and_ready(run, tmp_path):
    assert run("migrate").stdout.startswith("Migrated: the embedded TMS and the jobs' tables")
    assert (
        "Seeded sample 1: 2 organizations, 9 shipments"
        in run("seed", "--organizations", "2", "--shipments", "9").stdout
    )
    assert run("check").exit_code == 0
    assert (tmp_path / "data" / "tms.db").exists()


def test_a_second_time_has_nothing_to_do(run):
    for _ in range(2):
        migrated, seeded = run("migrate"), run("seed", "--organizations", "1", "--shipments", "3")

    assert migrated.stdout.startswith("Nothing to do: ")
    assert seeded.stdout.startswith("Nothing to do: ")
    assert (migrated.exit_code, seeded.exit_code) == (0, 0)


def test_a_log_that_was_closed_stays_closed_and_migrate_says_so(run):
    first, closed = run("migrate"), run("revoke-retention", "--yes")
    still = run("migrate")
    lacking = run("check", "--job", "delete_audit_entries")
    opened, quiet = run("allow-retention", "--yes"), run("migrate")

    assert "lets retention through now" in first.stdout
    assert "The audit log is as it was" in closed.stderr
    assert still.stdout.startswith("Nothing to do: ")
    assert "The audit log stays closed to retention: 'db revoke-retention' was run on 2" in still.stdout
    assert (lacking.exit_code, opened.exit_code) == (1, 0)
    assert quiet.stdout.count("\n") == 1


def test_a_log_of_ours_is_opened_also_where_nothing_is_migrated(run, tmp_path):
    async def without_the_command_line() -> None:
        async with Database.open(DatabaseOptions(url=f"sqlite:///{tmp_path}/data/tms.db")) as database:
            await migrate(database)

    (tmp_path / "data").mkdir()
    asyncio.run(without_the_command_line())
    shown = run("migrate")

    assert shown.stdout.startswith("Nothing to do: ")
    assert "lets retention through now" in shown.stdout
    assert run("check").exit_code == 0


def test_a_sample_can_have_a_past_and_what_is_left_of_it_is_counted(run, tmp_path):
    run("migrate")
    run("seed", "--organizations", "1", "--shipments", "3")
    added, again = (run("seed", "--organizations", "1", "--shipments", "3", "--history") for _ in range(2))

    assert "1 organizations, 53 shipments and 20,000 audit entries, 20," in added.stdout
    assert again.stdout.startswith(
        "Nothing to do: sample 1 was made before. Its organizations (1) have 53 shipments and 20,"
    )
    with closing(sqlite3.connect(tmp_path / "data" / "tms.db")) as tms, tms:
        tms.execute("DROP TRIGGER audit_entries_no_delete")
        tms.execute("DELETE FROM audit_entries")
    purged = run("seed", "--organizations", "1", "--shipments", "3", "--history")
    assert "have 53 shipments and 0 audit entries now, in " in purged.stdout


def test_a_database_that_lacks_something_ends_with_status_1(run, tmp_path):
    url = f"sqlite:///{tmp_path}/jobs.db"
    assert run("migrate", "--jobs-only", "--url", url).exit_code == 0
    shown = run("check", "--url", url)
    printed = run("check", "--url", url, "--json", "--job", "notification")

    assert shown.exit_code == 1
    assert "the table shipments is missing" in shown.stdout
    assert printed.exit_code == 1
    assert json.loads(printed.stdout) == {
        "ready": False,
        "jobs": {"notification": ["the table notifications is missing"]},
        "notes": [],
    }


def test_the_url_may_come_from_the_environment(run, tmp_path):
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    run("migrate", TRENOVA_DATABASE__URL=url)

    assert (tmp_path / "elsewhere.db").exists()


def test_a_check_creates_no_file(run, tmp_path):
    shown = run("check")

    assert shown.exit_code == 1
    assert "db migrate" in shown.stderr
    assert not (tmp_path / "data").exists()


def test_a_foreign_url_is_a_usage_error_and_keeps_its_password(run):
    shown = run("check", "--url", "mysql://user:s3cret@host/name")

    assert shown.exit_code == 2
    assert "this package speaks postgresql and sqlite" in shown.output
    assert "s3cret" not in shown.output


def test_an_unreachable_server_is_one_line_and_status_1(run):
    shown = run("check", "--url", "postgresql://user:s3cret@127.0.0.1:1/name")

    assert shown.exit_code == 1
    assert shown.stderr.count("\n") == 1
    assert "s3cret" not in shown.output


def test_help_loads_neither_database_nor_migrations():
    program = (
        "import sys, trenova_activities.cli\n"
        "print(sorted({'sqlalchemy', 'alembic', 'ulid', 'rich.table'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout.strip() == "[]", done.stderr


def test_a_missing_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    shown = run("migrate", "--url", "postgresql://user:s3cret@127.0.0.1:1/name")

    assert shown.exit_code == 1
    assert "The module 'asyncpg' is not installed" in shown.stderr
    assert "trenova-activities[database,postgresql]" in shown.stderr
