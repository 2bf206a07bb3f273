import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from service_processes import Services, TemporalServer
from temporalio import activity, workflow
from temporalio.client import (
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    WorkflowFailureError,
)

from system_worker import __main__ as program
from system_worker._settings import Settings
from trenova_activities.database import check, revoke_retention
from trenova_workers import load_settings

MODULE = "system_worker"


def told(folder: Path) -> Settings:
    """The settings of ``dev`` with its data in a folder."""
    return load_settings(Settings, environ={"TRENOVA_DATA_DIR": str(folder)}).values


def shown(services: Services, **environ: str) -> dict[str, dict[str, object]]:
    """What ``config show --json`` says of each key."""
    done = services.call(MODULE, "config", "show", "--json", **environ)
    assert done.returncode == 0, done.stderr
    return {setting["key"]: setting for setting in json.loads(done.stdout)["settings"]}


def test_the_program_composes_and_is_short():
    assert len(Path(program.__file__).read_text().splitlines()) <= 60


async def test_the_names_of_the_contract_are_registered(tmp_path):
    settings = told(tmp_path)
    await program.SERVICE.prepare(settings)

    async with program.SERVICE.work(settings) as work:
        workflows = [workflow._Definition.must_from_class(one).name for one in work.workflows]
        activities = [activity._Definition.must_from_callable(one).name for one in work.activities]

    assert program.SERVICE.name == "system-worker"
    assert list(program.SERVICE.queues(settings)) == ["system-queue"]
    assert workflows == [
        "CheckDatabaseWorkflow",
        "DeleteAuditEntriesWorkflow",
        "HarvestScheduleLedgerWorkflow",
        "BackfillScheduleWorkflow",
    ]
    assert activities == [
        "CheckDatabaseActivity",
        "DeleteAuditEntriesActivity",
        "RegisterSchedulesActivity",
        "HarvestScheduleLedgerActivity",
        "PlanScheduleBackfillActivity",
        "LookAtScheduleTicksActivity",
        "StartScheduleTicksActivity",
        "VerifyScheduleTicksActivity",
        "EndScheduleBackfillActivity",
    ]


async def test_what_an_operator_has_closed_stays_closed_and_prepare_says_so(tmp_path, caplog):
    settings = told(tmp_path)
    with caplog.at_level("INFO", "system_worker"):
        await program.SERVICE.prepare(settings)
        async with settings.open_database() as database:
            assert await check(database, ["delete_audit_entries"]) == {"delete_audit_entries": []}
            await revoke_retention(database)
        await program.SERVICE.prepare(settings)
        async with settings.open_database() as database:
            [lack] = (await check(database, ["delete_audit_entries"]))["delete_audit_entries"]

    said = [record.message for record in caplog.records if record.name.startswith("system_worker")]
    assert "append-only" in lack
    assert said[0] == "The audit log of the embedded TMS lets retention through now."
    assert said[1].startswith("The audit log stays closed to retention: 'db revoke-retention' was run on ")


def test_dev_needs_nothing(services: Services):
    settings = shown(services)

    assert settings["env"]["value"] == "dev"
    assert settings["queues"] == {"key": "queues", "value": ["system-queue"], "source": "config/base.yaml"}
    assert settings["database.url"]["value"] == "sqlite+aiosqlite:///{data_dir}/tms.db"
    assert settings["database.url"]["source"] == "config/dev.yaml"
    assert settings["database.embedded"]["value"] is True


@pytest.mark.parametrize(("env", "verb"), [("staging", ["config", "show", "--json"]), ("prod", ["run"])])
def test_elsewhere_the_database_must_be_named(services: Services, env: str, verb: list[str]):
    done = services.call(MODULE, *verb, TRENOVA_ENV=env)

    assert done.returncode == 2
    assert "'database.url' is required" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("env", "grace"), [("staging", 80), ("prod", 80)])
def test_elsewhere_no_sample_tms_is_made_and_the_password_is_not_shown(services: Services, env: str, grace: int):
    url = "postgresql://tms:planted-secret@db.example/tms"

    settings = shown(services, TRENOVA_ENV=env, TRENOVA_DATABASE__URL=url)

    assert settings["env"]["value"] == env
    assert settings["database.url"]["source"] == "TRENOVA_DATABASE__URL"
    assert "planted-secret" not in json.dumps(settings)
    assert settings["database.embedded"]["value"] is False
    assert settings["worker.graceful_shutdown_s"]["value"] == grace


def test_its_own_variable_wins_over_that_of_all_services(services: Services):
    settings = shown(
        services,
        TRENOVA_DATABASE__URL="sqlite:///everybody.db",
        SYSTEM_WORKER_DATABASE__URL="sqlite:///mine.db",
    )

    assert settings["database.url"]["value"] == "sqlite+aiosqlite:///mine.db"
    assert settings["database.url"]["source"] == "SYSTEM_WORKER_DATABASE__URL"


def test_it_prepares_polls_and_drains(services: Services, temporal: TemporalServer):
    [worker] = services.start(MODULE)
    services.prepare(MODULE)  # again, while it runs

    status, body = worker.readyz()
    checked = services.call(MODULE, "check", "--json")

    assert status == 200
    assert (body["service"], body["queues"]) == ("system-worker", {"system-queue": "polling"})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert worker.drain() == 0
    assert worker.readyz() == (0, {})


async def test_the_database_is_checked_through_a_workflow(services: Services):
    [worker] = await asyncio.to_thread(services.start, MODULE)
    client = await services.caller()

    async def ask(jobs: list[str]) -> dict[str, object]:
        return await client.execute_workflow(
            "CheckDatabaseWorkflow", {"jobs": jobs}, id=f"check-{len(jobs)}", task_queue="system-queue"
        )

    assert await ask([]) == {
        "ready": True,
        "database": "sqlite",
        "jobs": [
            {"job": job, "lacks": []}
            for job in (
                "cancel_shipments",
                "delete_audit_entries",
                "duplicate_shipment",
                "notification",
                "transfer_shipments",
            )
        ],
        "result": "Every job has what it needs.",
    }
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(ask(["no_such_job"]), 20)
    failure = failed.value.cause.cause
    assert (failure.type, failure.non_retryable) == ("invalid_input", True)
    assert "no_such_job" in failure.message
    assert await asyncio.to_thread(worker.drain) == 0


async def test_the_schedule_is_made_paused_and_then_left_alone(services: Services):
    await asyncio.to_thread(services.prepare, MODULE)
    client = await services.caller()
    handle = client.get_schedule_handle("delete-audit-entries-schedule")
    made = await handle.describe()

    assert made.schedule.state.paused
    assert await made.memo() == {"trenova.owner": "system-worker"}
    assert made.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    action = made.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.task_queue) == ("DeleteAuditEntriesWorkflow", "system-queue")
    [payload] = await client.data_converter.decode(action.args, [dict])
    assert (payload["organizationIds"], payload["dryRun"]) == ([], False)
    midnights = made.info.next_action_times[:2]
    assert [(at.hour, at.minute, at.utcoffset()) for at in midnights] == [(0, 0, timedelta(0))] * 2

    await handle.unpause(note="the dry run looked right")
    await asyncio.to_thread(services.prepare, MODULE)

    found = await handle.describe()
    assert (found.schedule.state.paused, found.schedule.state.note) == (False, "the dry run looked right")


async def test_prepare_leaves_the_tables_of_worker_pools_beside_the_others(tmp_path):
    async with told(tmp_path).open_pools() as pools:
        assert not await pools.is_current()
        await program.SERVICE.prepare(told(tmp_path))
        assert await pools.is_current()
