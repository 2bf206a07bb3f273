"""What a caller in another language can get wrong: no models of ours here, only names and bytes on the wire."""

import asyncio
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from service_processes import KEYS, Services, TemporalServer, clean_environ, end
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from tms_rows import Tms, opened, sqlite_url

SECRET = "hunter2-planted-secret"
SECONDS_TO_FAIL = 10
COUNT_LIMITS = {0: "greater than or equal to 1", -1: "greater than or equal to 1", 101: "less than or equal to 100"}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def running(request, tmp_path_factory) -> Iterator[tuple[Services, str]]:
    """The two services that a duplication needs, for all tests of this module."""
    folder = tmp_path_factory.mktemp("bad-input")
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("seeded_sqlite"), folder / "tms.db")
        url = sqlite_url(folder)
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.create_database(template=request.getfixturevalue("seeded_postgres"))
    temporal = TemporalServer()
    services = Services(folder, clean_environ(TEMPORAL_ADDRESS=temporal.address, TRENOVA_DATABASE__URL=url, **KEYS))
    try:
        services.start("shipment_worker", "notification_worker")
        yield services, url
    finally:
        services.close()
        end(temporal.process)


@pytest.fixture
async def caller(running) -> Client:
    """A client that knows nothing of us but the encryption."""
    return await running[0].caller()


@pytest.fixture
async def tms(running) -> AsyncIterator[Tms]:
    async with opened(running[1]) as tms:
        yield tms


class Refused:
    """A run that failed as it should."""

    def __init__(self, handle, failure):
        self.id = handle.id
        self.failure = failure
        self.message = failure.message


def wire(tms: Tms, **changes: Any) -> dict[str, Any]:
    """The JSON object that a correct caller sends, changed; a value of None leaves the field out."""
    asked = {
        "organizationId": tms.tenant.organization_id,
        "businessUnitId": tms.tenant.business_unit_id,
        "userId": tms.user_id,
        "timestamp": 1760000000,
        "metadata": {"apiKey": SECRET},
        "shipmentId": tms.shipment_id,
        "count": 2,
        "overrideDates": False,
        "includeCommodities": True,
        "includeAdditionalCharges": True,
        "password": SECRET,
    } | changes
    return {name: value for name, value in asked.items() if value is not None}


async def refused(caller: Client, argument: Any) -> Refused:
    """Start a run as a foreign caller would and wait for its failure."""
    begun = time.monotonic()
    handle = await caller.start_workflow(
        "DuplicateShipmentWorkflow", argument, id=f"bad-{uuid.uuid4().hex}", task_queue="shipment-queue"
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), SECONDS_TO_FAIL * 2)
    assert time.monotonic() - begun < SECONDS_TO_FAIL
    assert (await handle.describe()).status == WorkflowExecutionStatus.FAILED
    failure: BaseException = failed.value
    while failure.__cause__ is not None:
        failure = failure.__cause__
    assert isinstance(failure, ApplicationError)
    assert failure.non_retryable
    text = "".join(
        str(event)
        for event in (await handle.fetch_history()).events
        if "failed" in str(event.WhichOneof("attributes")) or "timed_out" in str(event.WhichOneof("attributes"))
    )
    assert SECRET not in text
    return Refused(handle, failure)


async def notified(caller: Client, run: Refused) -> None:
    await asyncio.wait_for(caller.get_workflow_handle(f"{run.id}/notify").result(), 20)


def encoded(encoding: str, data: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


@pytest.mark.parametrize("field", ["organizationId", "businessUnitId", "userId", "shipmentId", "count"])
async def test_a_field_that_is_missing_is_named_and_nothing_changes(caller, tms, field):
    before = await tms.counts()

    run = await refused(caller, wire(tms, **{field: None}))

    assert run.failure.type == "invalid_input"
    assert field in run.message
    assert await tms.counts() == before


@pytest.mark.parametrize("field", ["organizationId", "businessUnitId", "userId", "shipmentId"])
async def test_an_empty_id_is_named_and_nothing_changes(caller, tms, field):
    before = await tms.counts()

    run = await refused(caller, wire(tms, **{field: ""}))

    assert run.failure.type == "invalid_input"
    assert field in run.message
    assert await tms.counts() == before


@pytest.mark.parametrize("field", ["organizationId", "businessUnitId", "userId", "shipmentId", "count"])
async def test_a_required_field_that_is_null_is_named_and_nothing_changes(caller, tms, field):
    before = await tms.counts()

    run = await refused(caller, wire(tms) | {field: None})

    assert run.failure.type == "invalid_input"
    assert field in run.message
    assert await tms.counts() == before


@pytest.mark.parametrize("count", list(COUNT_LIMITS))
async def test_a_count_out_of_range_is_refused_with_the_limit(caller, tms, count):
    before = await tms.counts()

    run = await refused(caller, wire(tms, count=count))

    assert run.failure.type == "invalid_input"
    assert "count" in run.message
    assert COUNT_LIMITS[count] in run.message
    assert await tms.counts() == before


@pytest.mark.parametrize("count", ["3", 2.5, True, [2], {"of": 2}])
async def test_a_count_of_another_type_is_refused(caller, tms, count):
    before = await tms.counts()

    run = await refused(caller, wire(tms, count=count))

    assert run.failure.type == "invalid_input"
    assert "count" in run.message
    assert "integer" in run.message
    assert await tms.counts() == before


@pytest.mark.parametrize(
    "argument",
    [
        encoded("json/plain", b"not JSON at all, " + SECRET.encode()),
        encoded("json/plain", b'{"organizationId": "' + SECRET.encode()),
        encoded("json/plain", b"\xff\xfe\x00" + SECRET.encode()),
        encoded("json/plain", b""),
        encoded("binary/plain", SECRET.encode()),
        encoded("binary/null", b""),
    ],
    ids=["no-json", "half-json", "no-utf8", "empty", "bytes", "null"],
)
async def test_what_is_no_json_is_refused(caller, tms, argument):
    before = await tms.counts()

    run = await refused(caller, argument)

    assert run.failure.type == "invalid_input"
    assert run.message
    assert await tms.counts() == before


@pytest.mark.parametrize("argument", [[SECRET], SECRET, 7, None, {}, {"shipment": {"id": SECRET}}])
async def test_json_of_another_shape_is_refused(caller, tms, argument):
    before = await tms.counts()

    run = await refused(caller, argument)

    assert run.failure.type == "invalid_input"
    assert run.message
    assert await tms.counts() == before


async def test_no_argument_and_two_arguments_are_refused(caller, tms):
    before = await tms.counts()

    for arguments in ([], [wire(tms), wire(tms)]):
        handle = await caller.start_workflow(
            "DuplicateShipmentWorkflow", args=arguments, id=f"bad-{uuid.uuid4().hex}", task_queue="shipment-queue"
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), SECONDS_TO_FAIL)
        assert failed.value.cause.type == "invalid_input"
        assert "takes 1 argument" in failed.value.cause.message

    assert await tms.counts() == before


async def test_a_secret_is_not_echoed_even_where_it_stands_in_a_wrong_field(caller, tms):
    run = await refused(caller, wire(tms, shipmentId={"token": SECRET}, metadata=[SECRET], count=SECRET))

    assert run.failure.type == "invalid_input"
    assert all(name in run.message for name in ("shipmentId", "metadata", "count"))
    assert SECRET not in str(run.failure.details)


@pytest.mark.parametrize("whose", ["nobody's", "another tenant's"])
async def test_a_shipment_that_the_tenant_does_not_have_is_not_found_and_told_once(running, caller, tms, whose):
    theirs = {"organizationId": tms.other.organization_id, "businessUnitId": tms.other.business_unit_id}
    changes = {
        "nobody's": {"shipmentId": "shp_00000000000000000000000000"},
        "another tenant's": theirs,
    }[whose]
    asked = wire(tms, **changes)
    before = await tms.counts()

    run = await refused(caller, asked)
    await notified(caller, run)

    assert run.failure.type == "resource_not_found"
    assert asked["shipmentId"] in run.message
    [row] = await tms.notifications(run.id)
    assert (row.priority, row.title, row.delivery_status) == ("high", "Shipment Duplication Failed", "delivered")
    assert (row.organization_id, row.target_user_id) == (asked["organizationId"], tms.user_id)
    assert asked["shipmentId"] in row.message
    assert SECRET not in str(row)
    added = {table.rpartition(".")[2]: rows - before[table] for table, rows in (await tms.counts()).items()}
    changed = {table.removeprefix("trenova_jobs_"): rows for table, rows in added.items() if rows}
    assert changed == {"notifications": 1, "deliveries": 1}


async def test_a_shipment_of_a_business_unit_that_does_not_exist_is_not_found_and_nothing_changes(caller, tms):
    before = await tms.counts()

    run = await refused(caller, wire(tms, businessUnitId="bu_00000000000000000000000000"))
    with pytest.raises(WorkflowFailureError):  # there is nobody to tell, and no row to tell it with
        await notified(caller, run)

    assert run.failure.type == "resource_not_found"
    assert await tms.counts() == before


async def test_the_worker_serves_the_next_caller_and_its_log_holds_no_secret(running, caller, tms):
    services, _ = running

    result = await asyncio.wait_for(
        caller.execute_workflow(
            "DuplicateShipmentWorkflow", wire(tms), id=f"good-{uuid.uuid4().hex}", task_queue="shipment-queue"
        ),
        20,
    )

    assert (result["count"], len(result["shipmentIds"]), len(result["proNumbers"])) == (2, 2, 2)
    assert result["jobId"].startswith("good-")
    logs = "".join(path.read_text() for path in services.folder.glob("*.log"))
    assert "polling" in logs
    assert SECRET not in logs
