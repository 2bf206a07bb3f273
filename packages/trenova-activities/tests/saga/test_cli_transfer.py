"""``trenova-activities start transfer`` as a person types it, on a real server with a real worker."""

import pytest
from activities_command import typed
from temporalio.client import Client
from transfers import fleet, loses

from trenova_activities import SHIPMENT_QUEUE

pytestmark = pytest.mark.integration


async def run(client: Client, url: str, *arguments: str) -> tuple[int, str]:
    return await typed(client, "start", "transfer", "--url", url, *arguments)


async def test_shipments_are_named_by_number_or_id_and_the_customer_by_its_code(client, queue, embedded_sqlite_url):
    async with fleet(client, SHIPMENT_QUEUE, embedded_sqlite_url, shipments=40) as tms:
        case = await tms.case(queue)
        first, second = case.payload.shipment_ids
        named = ["--shipment", case.sources[first]["pro_number"], "--shipment", second]
        wanted = ["--key", queue, "--reason", case.payload.reason, "--user", tms.user_id]
        status, said = await run(client, embedded_sqlite_url, *named, "--customer", "OTHER", *wanted)
        await tms.check_transferred(case)
        _, unknown = await run(client, embedded_sqlite_url, *named, "--customer", "NOBODY")

    assert status == 0, said
    assert f"Workflow {case.handle_id}" in said
    assert "2 shipments were transferred to another customer." in said
    assert "No customer of this organization has the id or code 'NOBODY'" in unknown


async def test_what_could_not_be_undone_is_the_last_word(client, queue, embedded_sqlite_url):
    async with fleet(client, SHIPMENT_QUEUE, embedded_sqlite_url, shipments=40) as tms:
        case = await tms.case(queue, count=1)
        [touched] = case.payload.shipment_ids
        tms.faults.at(case.handle_id, "after cancel", loses)
        tms.faults.at(case.handle_id, "before restore", lambda _: tms.touch(touched))
        tenant = {"organization": tms.tenant.organization_id, "business-unit": tms.tenant.business_unit_id}
        given = [part for name, value in {**tenant, "user": tms.user_id}.items() for part in (f"--{name}", value)]
        asked = ["--shipment", touched, "--customer", "cus_other", "--key", queue, *given]
        status, said = await run(client, embedded_sqlite_url, *asked)

    assert status == 1
    assert "not everything could be undone" in said
    assert case.sources[touched]["pro_number"] in said
