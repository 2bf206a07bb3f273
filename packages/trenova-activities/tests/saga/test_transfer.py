"""Transfers whose steps and compensations fail, are canceled or lose their worker at every point of theirs."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError as WireError
from transfers import POINTS, STEPS, UNDOING, Fleet, again, asleep, ended, fleet, is_away, loses, refuses

from trenova_activities import REQUEST_DIGEST, TransferCall, start_transfer
from trenova_errors import ConflictError, ErrorsPlugin

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.integration]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tms(
    temporal_address: str, embedded_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    path = tmp_path_factory.mktemp("transfers") / "tms.db"
    shutil.copyfile(embedded_sqlite_template, path)
    client = await Client.connect(temporal_address, plugins=[ErrorsPlugin()])
    async with fleet(client, "transfers-sqlite", f"sqlite+aiosqlite:///{path}", shipments=340) as opened:
        yield opened


async def test_a_transfer_moves_shipments_with_everything_below_them(tms: Fleet):
    before = await tms.count()
    case = await tms.case("well", count=3)
    result = await (await tms.start(case)).result()

    assert (result.job_id, result.count, result.truncated) == (case.handle_id, 3, False)
    assert result.source_shipment_ids == case.payload.shipment_ids
    assert result.result == "3 shipments were transferred to another customer."
    await tms.check_transferred(case)
    assert await tms.count() == before + 3


async def test_the_same_request_gives_the_same_transfer_also_under_another_workflow_id(tms: Fleet):
    case = await tms.case("same")
    first = await (await tms.start(case)).result()
    before = await tms.count()
    other = await tms.client.execute_workflow(
        "TransferShipmentsWorkflow", case.payload, id="same-by-hand", task_queue=tms.queue, result_type=type(first)
    )

    assert other == first
    assert (await tms.start(case)).id == case.handle_id
    assert await tms.count() == before


async def test_a_run_says_what_it_is_and_the_requester_is_told(tms: Fleet):
    case = await tms.case("told")
    handle = await tms.start(case)
    result = await handle.result()
    run, told = await handle.describe(), await tms.told(case)

    assert await run.static_summary() == "Transfer 2 shipments to cus_other"
    details = await run.static_details()
    assert all(f"- {shipment}" in details for shipment in case.payload.shipment_ids)
    assert (await run.memo())[REQUEST_DIGEST] == case.payload.digest()
    attributes = {pair.key.name: pair.value for pair in run.typed_search_attributes}
    assert attributes["TrenovaOrganizationId"] == tms.tenant.organization_id
    assert attributes["TrenovaBusinessUnitId"] == tms.tenant.business_unit_id
    assert attributes["TrenovaJobType"] == "transfer_shipments"
    assert (told.success, told.job_type, told.user_id) == (True, "transfer_shipments", tms.user_id)
    assert (told.job_id, told.result) == (handle.id, result.result)
    assert [entity.name for entity in told.related_entities] == result.pro_numbers


async def test_a_key_belongs_to_one_request(tms: Fleet):
    case = await tms.case("key")
    await (await tms.start(case)).result()

    turned = case.payload.model_copy(update={"shipment_ids": case.payload.shipment_ids[::-1]})
    assert (await start_transfer(tms.client, turned, task_queue=tms.queue)).id == case.handle_id
    other = case.payload.model_copy(update={"customer_id": "cus_third"})
    with pytest.raises(ConflictError, match="'key' was already used for another request"):
        await start_transfer(tms.client, other, task_queue=tms.queue)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_step_that_fails_for_good_leaves_everything_as_it_was(tms: Fleet, step: str, moment: str):
    case = await tms.case(f"fails-{moment}-{step}")
    tms.faults.at(case.handle_id, f"{moment} {step}", refuses if moment == "before" else loses)
    cause = await ended(tms, case)

    assert cause.cause.type == ("non_retryable" if moment == "before" else "ambiguous")
    await tms.check_undone(case)
    done = moment == "after" or step != "reserve"
    said = (await tms.told(case)).result
    assert said.endswith("What had been done was undone." if done else "Nothing was changed.")
    assert said.startswith(f"None of the {len(case.payload.shipment_ids)} shipments was transferred.") is done
    await again(tms, case)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_step_that_fails_once_is_done_once(tms: Fleet, step: str, moment: str):
    case = await tms.case(f"once-{moment}-{step}")
    tms.faults.at(case.handle_id, f"{moment} {step}", is_away)

    assert await ended(tms, case) is None
    await tms.check_transferred(case)


@pytest.mark.parametrize("undoing", UNDOING)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_compensation_that_fails_once_undoes_once(tms: Fleet, undoing: str, moment: str):
    case = await tms.case(f"undo-{moment}-{undoing}")
    tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, f"{moment} {undoing}", is_away)
    cause = await ended(tms, case)

    assert cause.cause.type == "ambiguous"
    assert tms.faults.seen[case.handle_id].count(f"before {undoing}") == 2
    await tms.check_undone(case)
    await again(tms, case)


@pytest.mark.parametrize("undoing", UNDOING)
async def test_a_compensation_that_fails_for_good_is_reported_and_no_shipment_lives_twice_or_not_at_all(
    tms: Fleet, undoing: str
):
    case = await tms.case(f"broken-{undoing}")
    tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, f"before {undoing}", refuses)
    cause = await ended(tms, case)

    step = {"verify": "cancel", "restore": "cancel", "withdraw": "copy", "release": "reserve"}[undoing]
    assert isinstance(cause, WireError)
    assert cause.details[0]["code"] == "saga.not_undone"
    assert cause.details[0]["facts"]["steps"] == step
    await tms.check_undone(case, closed=undoing != "release")
    await again(tms, case)


async def test_a_source_that_was_changed_since_it_was_copied_is_refused_and_everything_undone(tms: Fleet):
    for table in ("shipments", "shipment_moves"):
        case = await tms.case(f"changed-{table}")
        [touched, _] = case.payload.shipment_ids
        tms.faults.at(case.handle_id, "before cancel", lambda _, id_=touched, name=table: tms.touch(id_, name))
        cause = await ended(tms, case)

        assert cause.cause.type == "conflict"
        assert case.sources[touched]["pro_number"] in cause.cause.message
        await tms.check_undone(case)
        await again(tms, case)


async def test_a_source_that_was_changed_since_it_was_canceled_stays_so_and_is_named(tms: Fleet):
    case = await tms.case("source-kept")
    [touched, _] = case.payload.shipment_ids
    tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, "before restore", lambda _: tms.touch(touched))
    cause = await ended(tms, case)

    assert cause.details[0]["facts"]["codes"] == "compensation_conflict"
    assert case.sources[touched]["pro_number"] in cause.message
    assert (await tms.state(touched))["status"] == "Canceled"
    await tms.check_undone(case, kept=(touched,), closed=False)
    told = await tms.told(case)
    assert told.result == cause.message
    assert [(one["step"], one["code"]) for one in told.data["notUndone"]] == [("cancel", "compensation_conflict")]
    refused = await ended(tms, case)
    assert refused.cause.type == "conflict"
    assert "could not be undone" in refused.cause.message


async def test_a_copy_that_was_changed_since_it_was_made_stays_and_is_named(tms: Fleet):
    case = await tms.case("copy-kept")
    kept: list[str] = []

    async def touch(_call: TransferCall) -> None:
        moved = next(iter((await tms.ledger(case)).moved.values()))
        kept.extend([moved.copy_id, moved.copy_number])
        await tms.touch(moved.copy_id, "shipment_moves")

    tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, "before withdraw", touch)
    cause = await ended(tms, case)

    assert cause.details[0]["facts"] == {
        "steps": "copy",
        "codes": "compensation_conflict",
        "failed_with": "ambiguous",
    }
    assert kept[1] in cause.message
    await tms.check_undone(case, kept=(kept[0],), closed=False)


@pytest.mark.parametrize("name", [*STEPS, *UNDOING])
async def test_a_cancellation_at_any_point_leaves_everything_as_it_was(tms: Fleet, name: str):
    case = await tms.case(f"canceled-{name}")
    handle = tms.client.get_workflow_handle(case.handle_id)
    if name in UNDOING:
        tms.faults.at(case.handle_id, "after cancel", loses)
    tms.faults.at(case.handle_id, f"before {name}", lambda _: handle.cancel())
    await ended(tms, case)

    expected = WorkflowExecutionStatus.FAILED if name in UNDOING else WorkflowExecutionStatus.CANCELED
    assert (await handle.describe()).status == expected
    await tms.check_undone(case)
    await again(tms, case)


@pytest.mark.slow
async def test_lost_workers_change_nothing_and_what_they_do_later_has_no_effect(tms: Fleet):
    """An attempt that falls silent at every point, all at once; those before an effect try to have it afterwards."""
    late = asyncio.Event()
    cases = {point: await tms.case(f"silent-{point}".replace(" ", "-")) for point in POINTS}
    undone = {point for point in POINTS if point.split()[1] in UNDOING}
    for point, case in cases.items():
        if point in undone:
            tms.faults.at(case.handle_id, "after cancel", loses)
        tms.faults.at(case.handle_id, point, lambda _: asleep(late))
    for step in STEPS:
        # The attempt after the silent one fails for good, so the silent one belongs to a transfer that was given up.
        cases[step] = case = await tms.case(f"given-up-{step}")
        tms.faults.at(case.handle_id, f"before {step}", lambda _: asleep(late), refuses)
        undone.add(step)
    causes = await asyncio.gather(*(ended(tms, case) for case in cases.values()))
    for _ in range(2):
        for (point, case), cause in zip(cases.items(), causes, strict=True):
            assert (cause is not None) == (point in undone), point
            closed = None if point == "reserve" else True  # a late reservation takes the key, and nothing else
            await (tms.check_undone(case, closed=closed) if point in undone else tms.check_transferred(case))
        late.set()
        await tms.idle()
    await again(tms, cases["reserve"])
