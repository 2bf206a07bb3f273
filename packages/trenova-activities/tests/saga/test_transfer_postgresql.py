"""The transfer on PostgreSQL: our own schema, and a current TMS with its enums, triggers and unknown columns."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from transfers import Fleet, again, ended, fleet, loses

pytestmark = pytest.mark.integration
SAMPLE = {"embedded_postgres_url": 30, "current_tms_url": 0}


@pytest.fixture(params=["current_tms_url", pytest.param("embedded_postgres_url", marks=pytest.mark.slow)])
async def tms(request: pytest.FixtureRequest, client: Client, queue: str) -> AsyncIterator[Fleet]:
    url = request.getfixturevalue(request.param)
    async with fleet(client, queue, url, shipments=SAMPLE[request.param]) as opened:
        yield opened


async def test_a_transfer_moves_a_shipment_with_everything_below_it(tms: Fleet):
    before = await tms.count()
    case = await tms.case("well", count=1)

    assert await ended(tms, case) is None
    await tms.check_transferred(case)
    assert await tms.count() == before + 1


async def test_every_step_is_undone(tms: Fleet):
    case = await tms.case("undone", count=1)
    tms.faults.at(case.handle_id, "after cancel", loses)
    cause = await ended(tms, case)

    assert cause.cause.type == "ambiguous"
    assert {"after verify", "after restore", "after withdraw", "after release"} <= set(tms.faults.seen[case.handle_id])
    await tms.check_undone(case)
    await again(tms, case)


async def test_a_source_that_was_changed_meanwhile_is_refused_and_the_copy_withdrawn(tms: Fleet):
    case = await tms.case("changed", count=1)
    [touched] = case.payload.shipment_ids
    tms.faults.at(case.handle_id, "before cancel", lambda _: tms.touch(touched, "shipment_moves"))
    cause = await ended(tms, case)

    assert cause.cause.type == "conflict"
    await tms.check_undone(case)


async def test_what_was_changed_since_is_kept_and_named(tms: Fleet):
    case = await tms.case("kept", count=1)
    [touched] = case.payload.shipment_ids
    tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, "before restore", lambda _: tms.touch(touched))
    cause = await ended(tms, case)

    assert cause.details[0]["facts"]["codes"] == "compensation_conflict"
    assert case.sources[touched]["pro_number"] in cause.message
    await tms.check_undone(case, kept=(touched,), closed=False)


async def test_a_cancellation_leaves_everything_as_it_was(tms: Fleet):
    case = await tms.case("canceled", count=1)
    handle = tms.client.get_workflow_handle(case.handle_id)
    tms.faults.at(case.handle_id, "before cancel", lambda _: handle.cancel())
    await ended(tms, case)

    await tms.check_undone(case)
