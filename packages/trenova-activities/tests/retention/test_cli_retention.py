import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from auditlog import DAY, opened
from sqlalchemy import text
from temporalio.worker import Worker
from typer.testing import CliRunner

from trenova_activities import (
    NOTIFICATION_QUEUE,
    SYSTEM_QUEUE,
    DeleteAuditEntriesWorkflow,
    SendJobCompleteNotificationWorkflow,
)
from trenova_activities.cli import app
from trenova_activities.database import Database, DatabaseOptions, NotificationActivities, RetentionActivities
from trenova_activities.testing import CURRENT_TENANTS

pytestmark = pytest.mark.integration

PROGRAM = Path(sys.executable).with_name("trenova-activities")


@pytest.fixture
def run():
    runner = CliRunner()

    def invoke(*arguments, **options):
        return runner.invoke(app, ["db", *arguments], env={"COLUMNS": "200"}, **options)

    return invoke


def test_the_sql_is_shown_and_nothing_is_run_without_a_yes(run, current_tms_url, postgres_server):
    shown = run("allow-retention", "--url", current_tms_url, "--show")
    declined = run("allow-retention", "--url", current_tms_url, input="n\n")
    without_answer = run("allow-retention", "--url", current_tms_url, input="")

    assert shown.exit_code == 0
    assert shown.stdout.startswith("BEGIN;\n")
    assert "WHEN (current_user <> 'trenova_retention')" in shown.stdout
    assert declined.stdout.startswith(shown.stdout)
    assert without_answer.stdout.startswith(shown.stdout)
    assert (declined.exit_code, without_answer.exit_code) == (1, 1)
    query = "SELECT count(*) FROM pg_proc WHERE proname = 'purge_audit_entries'"
    assert postgres_server.execute(query, database=current_tms_url) == "0"


def test_it_is_allowed_and_revoked_once_each(run, current_tms_url):
    url = ("--url", current_tms_url)
    lacking = run("check", *url, "--job", "delete_audit_entries")
    allowed = run("allow-retention", *url, input="y\n")
    again = run("allow-retention", *url, "--yes")
    ready = run("check", *url, "--job", "delete_audit_entries")
    revoked = run("revoke-retention", *url, "--yes")
    nothing = run("revoke-retention", *url, "--yes")

    assert (lacking.exit_code, ready.exit_code) == (1, 0)
    assert "allow-retention" in lacking.stdout
    assert "Retention may delete from the audit log" in allowed.stderr
    assert "The audit log is as it was" in revoked.stderr
    assert again.stdout.startswith("Nothing to do in ")
    assert nothing.stdout.startswith("Nothing to do in ")


def test_a_trigger_that_archives_is_noted_and_works_as_the_document_says(run, current_tms_url, postgres_server):
    def sql(*statements: str) -> str:
        return [postgres_server.execute(statement, database=current_tms_url) for statement in statements][-1]

    purge = "SELECT count(*) FROM trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 10, 1735600050)"
    assert run("migrate", "--url", current_tms_url).exit_code == 0
    assert run("allow-retention", "--url", current_tms_url, "--yes").exit_code == 0
    quiet = run("check", "--url", current_tms_url, "--job", "delete_audit_entries")
    sql(
        "CREATE TABLE audit_archive (id text)",
        "CREATE FUNCTION keep_entry() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO public.audit_archive VALUES (OLD.id); RETURN OLD; END $$",
        "CREATE TRIGGER archive_it BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION keep_entry()",
    )
    noted = run("check", "--url", current_tms_url, "--job", "delete_audit_entries")
    with pytest.raises(Exception, match="permission denied for table audit_archive"):
        sql(purge)
    sql("GRANT INSERT ON audit_archive TO trenova_retention")

    assert "Note" not in quiet.stdout
    assert noted.exit_code == 0
    assert "Note: the trigger 'archive_it' of audit_entries fires for what the purge deletes" in noted.stdout
    assert sql(purge) == sql("SELECT count(*) FROM audit_archive") == "1"


def test_a_role_that_is_not_there_is_one_line_and_status_1(run, current_tms_url):
    shown = run("allow-retention", "--url", current_tms_url, "--role", "nobody_at_all", "--yes")

    assert shown.exit_code == 1
    assert shown.stderr.startswith("There is no role 'nobody_at_all'")
    assert shown.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_not_made(run, tmp_path):
    shown = run("allow-retention", "--data-dir", str(tmp_path / "data"))

    assert shown.exit_code == 1
    assert not (tmp_path / "data").exists()


def start(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TEMPORAL_ADDRESS": address, "TRENOVA_CODECS_PLAIN": "1", "COLUMNS": "200"}
    return subprocess.run([PROGRAM, "start", *arguments], env=environ, capture_output=True, text=True, timeout=60)


async def test_a_purge_is_counted_then_carried_out_from_the_command_line(client, temporal_address, log_url):
    async with opened(log_url) as log:
        now = await log.time()
        [tenant] = await log.organization(30)
        await log.entries(tenant, [now - 31 * DAY] * 3 + [now - 29 * DAY])
        activities = RetentionActivities(log.database, log.catalog)
        workflows = [DeleteAuditEntriesWorkflow]
        async with Worker(client, task_queue=SYSTEM_QUEUE, workflows=workflows, activities=[activities.delete]):
            only = ("purge", "--organization", tenant.organization_id)
            counted = await asyncio.to_thread(start, temporal_address, *only, "--dry-run")
            assert (await log.counts())[tenant.organization_id, tenant.business_unit_id] == 4
            done = await asyncio.to_thread(start, temporal_address, *only)
            wrong = await asyncio.to_thread(start, temporal_address, *only, "--batch-size", "0")
        left = (await log.counts())[tenant.organization_id, tenant.business_unit_id]

    assert "3 audit entries would be deleted for 1 organization." in counted.stdout, counted.stderr
    assert "3 audit entries were deleted for 1 organization." in done.stdout, done.stderr
    assert left == 1
    assert wrong.returncode == 1
    assert "batch_size: Input should be greater" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


async def test_an_append_only_log_is_one_sentence_and_status_1(client, temporal_address, closed_log):
    activities = RetentionActivities(closed_log.database, closed_log.catalog)
    workflows = [DeleteAuditEntriesWorkflow]
    async with Worker(client, task_queue=SYSTEM_QUEUE, workflows=workflows, activities=[activities.delete]):
        done = await asyncio.to_thread(start, temporal_address, "purge")
        counted = await asyncio.to_thread(start, temporal_address, "purge", "--dry-run")

    for refused in (done, counted):
        assert refused.returncode == 1
        assert refused.stderr.startswith("The audit log is append-only: the trigger ")


async def test_a_notification_is_sent_from_the_command_line(client, temporal_address, current_tms_url):
    asked = CURRENT_TENANTS[0]
    arguments = ("notify", "--organization", asked.organization_id, "--business-unit", asked.business_unit_id)
    arguments += ("--job-type", "billing_process", "--result", "Twelve invoices were sent.", "--job", "billing/1")
    async with Database.open(DatabaseOptions(url=current_tms_url)) as database:
        activities = await NotificationActivities.open(database)
        workflows = [SendJobCompleteNotificationWorkflow]
        async with Worker(client, task_queue=NOTIFICATION_QUEUE, workflows=workflows, activities=[activities.notify]):
            sent = await asyncio.to_thread(start, temporal_address, *arguments, "--user", asked.user_id)
            again = await asyncio.to_thread(start, temporal_address, *arguments, "--user", asked.user_id)
            stranger = await asyncio.to_thread(
                start, temporal_address, *arguments, "--organization", "org_nobody", "--user", asked.user_id
            )
            nobody = await asyncio.to_thread(start, temporal_address, *arguments)
        async with database.read() as connection:
            query = text("SELECT title FROM notifications WHERE job_id = 'billing/1'")
            titles = list((await connection.execute(query)).scalars())

    assert (sent.returncode, again.returncode) == (0, 0), sent.stderr
    assert titles == ["Billing Process Completed"]
    assert stranger.returncode == 1
    assert stranger.stderr.startswith("The database refused the rows, and nothing was written.")
    assert nobody.returncode == 1
    assert "exactly one of userId and targetRole is required" in nobody.stderr
