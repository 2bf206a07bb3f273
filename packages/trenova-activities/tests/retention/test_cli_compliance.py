"""``plan``, ``holds`` and ``manifest`` on the command line, and a purge by a plan through real workflows."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from auditlog import DAY, opened
from sqlalchemy import update
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker
from typer.testing import CliRunner

from trenova_activities import SYSTEM_QUEUE, DeleteAuditEntriesPayload, DeleteAuditEntriesWorkflow, start_purge
from trenova_activities.cli import app
from trenova_activities.database import PlanOptions, RetentionActivities

pytestmark = pytest.mark.integration

PROGRAM = Path(sys.executable).with_name("trenova-activities")


@pytest.fixture
def command(log_url):
    async def invoke(*arguments: str):
        runner = CliRunner()
        asked = [*arguments, "--url", log_url]
        return await asyncio.to_thread(runner.invoke, app, asked, env={"COLUMNS": "200"})  # it has a loop of its own

    return invoke


async def _started(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TEMPORAL_ADDRESS": address, "TRENOVA_CODECS_PLAIN": "1", "COLUMNS": "200"}
    asked = [PROGRAM, "start", *arguments]
    return await asyncio.to_thread(subprocess.run, asked, env=environ, capture_output=True, text=True, timeout=90)


async def test_a_purge_above_the_limit_is_refused_until_a_plan_is_made_approved_and_carried_out(
    client, temporal_address, log_url, command
):
    async with opened(log_url) as log:
        now = await log.time()
        [tenant] = await log.organization(30)
        await log.entries(tenant, [now - 31 * DAY] * 3 + [now - 40 * DAY, now - 29 * DAY])
        activities = RetentionActivities(log.database, log.catalog, plans=PlanOptions(require_plan_above=3))
        key = (tenant.organization_id, tenant.business_unit_id)
        only = ("purge", "--organization", tenant.organization_id)
        async with Worker(
            client, task_queue=SYSTEM_QUEUE, workflows=[DeleteAuditEntriesWorkflow], activities=[activities.delete]
        ):
            with pytest.raises(WorkflowFailureError) as failed:
                asked = DeleteAuditEntriesPayload(organization_ids=[tenant.organization_id])
                await (await start_purge(client, asked)).result()
            assert (failed.value.cause.cause.type, (await log.counts())[key]) == ("permission_denied", 5)
            refused = await _started(temporal_address, *only)
            assert (refused.returncode, (await log.counts())[key]) == (1, 5)
            assert await log.own("job_runs") == []

            made = await command("plan", "make", *only, "--by", "ann", "--json")
            plan = json.loads(made.stdout)["hash"]
            unapproved = await _started(temporal_address, *only, "--plan", plan)
            own = await command("plan", "approve", plan[:10], "--by", "ann")
            approved = await command("plan", "approve", plan[:10], "--by", "bob", "--reason", "quarter's end")
            await log.entries(tenant, [now - 29 * DAY])
            done = await _started(temporal_address, *approved.stdout.split("trenova-activities start ")[1].split())
        left = (await log.counts())[key]

    assert "above 3 (require_plan_above) this job needs an approved plan. Nothing was touched." in refused.stderr
    assert f"plan make purge --organization {tenant.organization_id} --by " in refused.stderr
    assert "is not approved" in unapproved.stderr
    assert (own.exit_code, approved.exit_code) == (1, 0), own.output
    assert "'ann' made this plan" in own.stderr
    assert "4 audit entries were deleted for 1 organization." in done.stdout, done.stderr
    assert left == 2
    workflow_id = re.search(r"Workflow (\S+)", done.stdout).group(1)
    verified = await command("manifest", "verify", workflow_id)
    assert verified.exit_code == 0, verified.output
    assert f"by the plan {plan}" in verified.stdout
    assert "All fits: 4 rows of 1 organizations; the seal is " in verified.stdout


async def test_a_plan_is_shown_and_listed_for_people_and_programs(log_url, command):
    async with opened(log_url) as log:
        now = await log.time()
        [tenant], [senseless] = await log.organization(30), await log.organization(0)
        await log.entries(tenant, [now - 31 * DAY] * 1234 + [now - 40 * DAY])
    whose = ("--organization", tenant.organization_id, "--organization", senseless.organization_id)

    made = await command("plan", "make", "purge", *whose, "--by", "ann")
    plan = made.stdout.split()[0]
    shown, as_json = await command("plan", "show", plan[:12]), await command("plan", "show", plan, "--json")
    await command("plan", "approve", plan, "--by", "bob")
    listed = await command("plan", "list")
    wrong = await command("plan", "make", "duplicate", "--by", "ann")
    nobody = await command("plan", "show", "abcdef")

    assert made.exit_code == 0, made.output
    assert "1,235 rows as of " in made.stdout
    assert f"plan approve {plan[:12]} --by" in made.stderr
    assert "1,234" in shown.stdout
    assert "left alone: audit_retention_period is 0" in shown.stdout
    told = json.loads(as_json.stdout)
    assert (told["hash"], told["total"], told["genuine"]) == (plan, 1235, True)
    days = {one["organizationId"]: one["days"] for one in told["tenants"]}
    assert sorted(days[tenant.organization_id].values()) == [1, 1234]
    assert f"{plan[:12]}  delete_audit_entries" in listed.stdout
    assert "by ann  approved by bob" in listed.stdout
    assert (wrong.exit_code, nobody.exit_code) == (2, 1)
    assert "There is no plan 'abcdef'" in nobody.stderr
    async with opened(log_url) as log:
        parts = log.database.jobs.job_plan_tenants
        async with log.database.write() as connection:
            await connection.execute(update(parts).values(setting="1"))
    altered = await command("plan", "show", plan)
    assert altered.exit_code == 1
    assert "was altered after it was made" in altered.stderr


async def test_a_cancellation_is_planned_the_same_way(command):
    made = await command("plan", "make", "cancel", "--by", "ann", "--json")

    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["jobType"] == "cancel_shipments"


async def test_holds_are_placed_listed_and_released(log_url, command):
    async with opened(log_url) as log:
        [tenant] = await log.organization(30)
    about = ("--resource", "shipment", "--from", "2024-01-31", "--until", "2024-02-29", "--reason", "Suit 12")
    placed = await command("holds", "place", "--organization", tenant.organization_id, *about, "--by", "eve")
    hold = placed.stdout.split()[0]
    listed = await command("holds", "list")
    released = await command("holds", "release", hold, "--reason", "settled", "--by", "adam")
    again = await command("holds", "release", hold, "--reason", "settled", "--by", "adam")
    none = await command("holds", "list")
    kept = await command("holds", "list", "--released", "--json")
    misspelt = await command("holds", "place", "--organization", "org_x", "--reason", "x", "--by", "eve")
    no_day = await command(
        "holds", "place", "--organization", tenant.organization_id, "--reason", "x", "--by", "eve", "--from", "soon"
    )

    assert placed.exit_code == 0, placed.output
    assert "shipment from 2024-01-31 00:00:00 UTC until 2024-02-29 23:59:59 UTC" in placed.stdout
    assert "by eve: Suit 12" in listed.stdout
    assert "by adam: settled" in released.stdout
    assert (again.exit_code, misspelt.exit_code, no_day.exit_code) == (1, 1, 2)
    assert "was released before by adam" in again.stderr
    assert "No hold is in force." in none.stderr
    [row] = json.loads(kept.stdout)
    assert (row["id"], row["createdBy"], row["releasedBy"], row["untilAt"]) == (hold, "eve", "adam", 1709251199)
    assert "'org_x' has a retention period" in misspelt.stderr


async def test_a_manifest_is_shown_and_a_line_that_was_changed_ends_with_status_1(log_url, command):
    async with opened(log_url) as log:
        [tenant] = await log.organization(30)
        await log.entries(tenant, [await log.time() - 31 * DAY] * 5)
        await log.run(run_id="done", batch_size=2, organization_ids=[tenant.organization_id])
    shown = await command("manifest", "show", "done")
    lines = await command("manifest", "show", "done", "--json")
    fine = await command("manifest", "verify", "delete-audit-entries/done", "--json")
    async with opened(log_url) as log:
        table = log.database.jobs.job_run_batches
        async with log.database.write() as connection:
            await connection.execute(update(table).where(table.c.number == 2).values(first_id="ae_x"))
    wrong = await command("manifest", "verify", "done")
    nowhere = await command("manifest", "verify", "nowhere")

    assert [row["rows"] for row in json.loads(lines.stdout)] == [2, 2, 1]
    assert shown.stdout.count(tenant.organization_id) == 3
    told = json.loads(fine.stdout)
    assert (told["fits"], told["rows"], told["tenants"][0]["batches"]) == (True, 5, 3)
    seal = await command("manifest", "verify", "done", "--seal", told["seal"])
    assert wrong.exit_code == seal.exit_code == nowhere.exit_code == 1
    assert f"WRONG  {tenant.organization_id}" in wrong.stdout
    assert "batch 2: its chain value is not that of its fields." in wrong.stdout
    assert "1 of 1 organizations do not fit." in wrong.stdout


async def test_what_a_run_that_did_not_end_changed_adds_up_without_a_seal(log_url, command):
    async with opened(log_url) as log:
        [tenant] = await log.organization(30)
        await log.entries(tenant, [await log.time() - 31 * DAY] * 5)
        await log.run(run_id="cut", batch_size=2, organization_ids=[tenant.organization_id])
        table = log.database.jobs.job_runs
        async with log.database.write() as connection:
            await connection.execute(update(table).where(table.c.run_id == "cut").values(state="running", seal=None))
    told = await command("manifest", "verify", "cut")

    assert told.exit_code == 0
    assert "All fits: 5 rows" in told.stdout
    assert "there is no seal, for the run did not reach its end" in told.stdout


def test_ids_are_whole_in_the_table_of_a_plan_on_a_narrow_terminal(tmp_path):
    home = ["--data-dir", str(tmp_path)]
    runner = CliRunner(env={"COLUMNS": "80"})
    runner.invoke(app, ["db", "migrate", *home])
    seeded = runner.invoke(app, ["db", "seed", "--organizations", "2", "--shipments", "10", *home])
    made = runner.invoke(app, ["plan", "make", "purge", "--by", "ann", *home])
    shown = runner.invoke(app, ["plan", "show", made.stdout[:12], "--json", *home])
    tenants = json.loads(shown.stdout)["tenants"]
    ids = [one[name] for one in tenants for name in ("organizationId", "businessUnitId")]

    assert (seeded.exit_code, made.exit_code, len(ids)) == (0, 0, 4), made.output
    assert {len(name) for name in ids} == {29, 30}
    assert all(name in made.stdout for name in ids)


@pytest.mark.parametrize("job", ["purge", "cancel"])
@pytest.mark.parametrize("given", ["3f9c81d2ab07", "A" * 64, ""])
def test_a_shortened_hash_begins_no_run_and_the_way_to_the_whole_is_named(job, given):
    refused = CliRunner().invoke(app, ["start", job, "--plan", given], env={"COLUMNS": "200"})

    assert refused.exit_code == 2
    assert "is not the whole hash of a plan" in refused.output
    assert "plan show" in refused.output
