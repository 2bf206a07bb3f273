"""The commands as a person types them, on a real server with a real worker."""

import asyncio
import sys
from contextlib import asynccontextmanager
from functools import partial

import pytest
from activities_command import typed
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.worker import Worker
from world import DAY, opened

from trenova_activities import (
    CANCEL_SHIPMENTS_ACTIVITY,
    SHIPMENT_QUEUE,
    CancelShipmentsByCreatedAtWorkflow,
    CancelShipmentsPayload,
    start_cancel,
)
from trenova_activities.database import CancellationActivities


@pytest.fixture
def run(client: Client):
    return partial(typed, client)


@asynccontextmanager
async def serving(client: Client, url: str):
    async with opened(url) as world:
        world.now = None
        activities = await CancellationActivities.open(world.database)
        async with Worker(
            client,
            task_queue=SHIPMENT_QUEUE,
            workflows=[CancelShipmentsByCreatedAtWorkflow],
            activities=[activities.cancel],
        ):
            yield world


async def test_a_dry_run_counts_what_the_real_run_cancels_and_the_status_tells_it(
    client, run, embedded_sqlite_url, queue
):
    async with serving(client, embedded_sqlite_url) as world:
        async with world.database.read() as connection:
            now = await world.clock(connection)
        one, other = await world.tenants(2)
        await world.shipments(one, [now - 31 * DAY] * 3)
        await world.shipments(other, [now - 31 * DAY])

        dry = await run("start", "cancel", "--dry-run", "--key", f"{queue}-dry")
        assert {row.status for row in (await world.rows("shipments")).values()} == {"New"}
        real = await run("start", "cancel", "--organization", one.organization_id, "--key", queue)
        status = await run("status", f"cancel-shipments/{queue}")

        assert dry == (0, dry[1])
        assert "4 shipments would be canceled for 2 organizations." in dry[1]
        assert real[0] == 0
        assert f"Workflow cancel-shipments/{queue}" in real[1]
        assert "3 shipments were canceled for 1 organization." in real[1]
        assert {row.status for row in (await world.rows("shipments", one)).values()} == {"Canceled"}
        assert {row.status for row in (await world.rows("shipments", other)).values()} == {"New"}
        assert status[0] == 0
        told = ("CancelShipmentsByCreatedAtWorkflow", "completed", "3 shipments were canceled", "of one organization")
        for part in (*told, f"{one.organization_id}: 3 rows"):
            assert part in status[1]
        again = await run("start", "cancel", "--organization", one.organization_id, "--key", queue)
        assert again[0] == 0
        assert "This key was used before: its run was started 20" in again[1]
        assert "Nothing was started now" in again[1]
        assert "used before" not in real[1]
        counted = await run("status", f"cancel-shipments/{queue}-dry")
        for part in (
            "every organization, dry run",
            f"{one.organization_id}: 3 rows",
            f"{other.organization_id}: 1 rows",
        ):
            assert part in counted[1]


@pytest.mark.integration
async def test_a_run_that_only_skipped_says_so_and_ends_with_status_3(client, run, embedded_sqlite_url, queue):
    async with serving(client, embedded_sqlite_url) as world:
        [senseless] = await world.tenants(1, threshold=None)
        async with world.database.read() as connection:
            now = await world.clock(connection)
        [fine] = await world.tenants(1)
        await world.shipments(fine, [now - 31 * DAY])
        only = await run("start", "cancel", "--organization", senseless.organization_id, "--key", queue)
        nobody = await run("start", "cancel", "--organization", "org_nobody")
        status = await run("status", f"cancel-shipments/{queue}")
        both = await run("start", "cancel")

    assert only[0] == 3
    assert f"skipped {senseless.organization_id}: " in only[1]
    assert "Nothing was done: 1 organization was skipped, and none was worked through. Exit status 3." in only[1]
    assert (nobody[0], "skipped org_nobody: " in nobody[1]) == (3, True)
    assert f"{senseless.organization_id}: skipped, shipment_controls." in status[1]
    assert (both[0], "1 shipment was canceled for 1 organization, 1 skipped." in both[1]) == (0, True)


@pytest.mark.integration
async def test_the_status_of_a_running_job_tells_of_each_organization_and_an_empty_key_is_refused(client, run, queue):
    @activity.defn(name=CANCEL_SHIPMENTS_ACTIVITY)
    async def cancel(_payload: CancelShipmentsPayload) -> None:
        activity.heartbeat("dry run, 1 organizations, 5 rows, now org_2\norg_2: 2 rows, running\norg_1: 3 rows, done")
        await asyncio.sleep(60)

    async with Worker(client, task_queue=queue, workflows=[CancelShipmentsByCreatedAtWorkflow], activities=[cancel]):
        handle = await start_cancel(client, key=queue, task_queue=queue)
        for _ in range(40):
            status = await run("status", handle.id)
            if "org_1" in status[1]:
                break
        await handle.terminate("enough")
        empty = await run("start", "cancel", "--key", "")

    assert "doing     dry run, 1 organizations, 5 rows, now org_2\n" in status[1]
    assert "          org_2: 2 rows, running\n          org_1: 3 rows, done\n" in status[1]
    assert empty[0] == 1
    assert empty[1].startswith("The key is empty.")


@pytest.mark.integration
async def test_the_status_tells_what_was_asked_by_whoever_started_it_and_what_was_left_alone(
    client, run, embedded_sqlite_url, queue
):
    async with serving(client, embedded_sqlite_url) as world:
        [tenant] = await world.tenants(1)
        await world.shipments(tenant, [None, -1])
        asked = {"organizationIds": [tenant.organization_id], "dryRun": True}
        await client.execute_workflow(
            "CancelShipmentsByCreatedAtWorkflow", asked, id=f"plain-{queue}", task_queue=SHIPMENT_QUEUE
        )
        status = await run("status", f"plain-{queue}")
        started = await run("start", "cancel", "--organization", tenant.organization_id)
        blank = await run("start", "cancel", "--organization", " ")

    assert "asked     Cancel stale shipments of one organization, dry run\n" in status[1]
    for said in (status, started):
        assert "2 rows have an impossible time (none, negative or in milliseconds) and stay as they are." in said[1]
    assert (blank[0], "must not be blank" in blank[1]) == (1, True)


async def test_the_status_of_no_workflow_is_refused(run):
    assert await run("status", " ") == (
        1,
        "The workflow id is empty. Give the one that 'start' printed, e.g. cancel-shipments/<key>.\n",
    )


async def test_the_status_of_a_job_that_waits_says_so(client, run, queue):
    started = await run("start", "cancel", "--no-follow", "--key", queue)
    status = await run("status", f"cancel-shipments/{queue}")
    await client.get_workflow_handle(f"cancel-shipments/{queue}").terminate("enough")
    terminated = await run("status", f"cancel-shipments/{queue}")

    assert started[0] == 0
    assert (status[0], "running" in status[1]) == (0, True)
    assert (terminated[0], "terminated" in terminated[1]) == (1, True)


async def test_a_workflow_that_there_is_not_is_named(run):
    code, said = await run("status", "cancel-shipments/never")

    assert code == 1
    assert said.startswith("No workflow with id 'cancel-shipments/never'")


@pytest.mark.parametrize("size", ["0", "10001"])
async def test_a_batch_size_out_of_range_is_refused_before_anything_starts(run, size):
    code, said = await run("start", "cancel", "--batch-size", size)

    assert code == 1
    assert "batch_size: Input should be" in said


async def test_an_encrypted_run_without_keys_has_a_state_and_asks_for_them(client, run, queue):
    sealed = RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"sealed"))
    handle = await client.start_workflow(
        "CancelShipmentsByCreatedAtWorkflow", sealed, id=f"sealed-{queue}", task_queue=queue
    )
    code, said = await run("status", handle.id)
    await handle.terminate("enough")

    assert code == 0
    assert "Traceback" not in said
    assert "state     running\n" in said
    assert (
        "asked     cannot be read here: Unknown payload encoding binary/encrypted; give this command the keys "
        "(TRENOVA_CODECS_RING or TRENOVA_DATA_DIR)\n"
    ) in said


@pytest.mark.parametrize("failure", ["KeyError('planted')", "ValueError('planted')"])
async def test_what_nobody_expected_is_shown_before_the_process_leaves(failure):
    code = f"""
from trenova_activities import cli
from trenova_activities._cli_start import run

async def fail():
    raise {failure}

cli.app.command("fail")(lambda: run(fail()))
cli.main()
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "fail", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await asyncio.wait_for(process.communicate(), 60)

    assert (process.returncode, out) == (1, b"")
    assert said.startswith(b"Traceback")
    assert said.decode().splitlines()[-1].startswith(failure.partition("(")[0])
