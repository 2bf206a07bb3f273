"""The manifest of the purge: it adds up, its chain is whole, and whoever changes a line is found."""

import hashlib
import json

import pytest
from auditlog import DAY, AuditLog
from sqlalchemy import delete, func, insert, select, update

from trenova_activities.database import Tenant, manifest_lines, verify_manifest
from trenova_activities.database._nightly import Budget
from trenova_errors import ResourceNotFoundError

pytestmark = pytest.mark.integration


@pytest.fixture
async def tenants(log: AuditLog) -> list[Tenant]:
    """Two organizations that were purged by the run ``done``, in batches of two."""
    made = [(await log.organization(30))[0] for _ in range(2)]
    now = await log.time()
    for tenant, count in zip(made, (7, 4), strict=True):
        await log.entries(tenant, [now - (31 + age) * DAY for age in range(count)])
    await purge(log, made)
    return made


async def purge(log: AuditLog, tenants: list[Tenant], run_id: str = "done", **options):
    asked = {"organization_ids": [one.organization_id for one in tenants], "batch_size": 2}
    return await log.run(run_id=run_id, **asked, **options)


async def change(log: AuditLog, statement) -> None:
    async with log.database.write() as connection:
        await connection.execute(statement)


def compact(values: list) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


async def test_a_manifest_adds_up_and_names_its_seal(log: AuditLog, tenants):
    found = await verify_manifest(log.database, "done")

    assert found.fits
    assert {one.organization_id: (one.rows, one.batches, one.unchained) for one in found.tenants} == {
        tenants[0].organization_id: (7, 4, 0),
        tenants[1].organization_id: (4, 2, 0),
    }
    assert found == await verify_manifest(log.database, "delete-audit-entries/done")
    result = (await purge(log, tenants)).result
    assert result.data["manifest"] == found.seal
    assert (await verify_manifest(log.database, "done", seal=found.seal)).fits
    assert "The seal should be ffff" in (await verify_manifest(log.database, "done", seal="ffff")).problem


async def test_the_chain_is_what_its_description_says(log: AuditLog, tenants):
    [run] = await log.own("job_runs")
    kept = {row.organization_id: row for row in await log.own("job_run_tenants")}
    for tenant in tenants:
        of = kept[tenant.organization_id]
        start = ["trenova-manifest/1", "delete_audit_entries", "done", run.request_digest, run.as_of]
        start += [tenant.organization_id, tenant.business_unit_id, "30", run.as_of - 30 * DAY]
        value = hashlib.sha256(compact(start)).hexdigest()
        for line in await manifest_lines(log.database, "done", organization_id=tenant.organization_id):
            span = [line.number, line.rows, line.first_at, line.first_id, line.last_at, line.last_id]
            value = hashlib.sha256(compact([value, *span, line.digest, line.at])).hexdigest()
            assert line.chain == value
        assert of.chain == value
    lines = [["trenova-seal/1", "delete_audit_entries", "done", run.request_digest]]
    for one in sorted(tenants, key=lambda tenant: tenant.organization_id):
        of = kept[one.organization_id]
        lines.append([one.organization_id, one.business_unit_id, "done", of.counted, of.batches, of.chain])
    assert run.seal == hashlib.sha256(b"".join(compact(line) + b"\n" for line in lines)).hexdigest()


FORGERIES = {
    "rows": ({"rows": 3}, "batch 2: its chain value is not that of its fields."),
    "digest": ({"digest": "0" * 64}, "batch 2: its chain value is not that of its fields."),
    "id": ({"last_id": "ae_other"}, "batch 2: its chain value is not that of its fields."),
    "time": ({"at": 1}, "batch 2: its chain value is not that of its fields."),
    "range": ({"first_at": 1}, "batch 2: its range is not after that of the batch before."),
    "cut-off": ({"last_at": 2**40}, "batch 2: it reaches beyond the cut-off"),
    "number": ({"number": 9}, "batch 3: it stands where batch 2 belongs"),
    "chain": ({"chain": None}, "batch 2: it has no chain value, although the batch before has one."),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_line_that_was_changed_is_named(log: AuditLog, tenants, forgery):
    changes, problem = FORGERIES[forgery]
    table = log.database.jobs.job_run_batches
    second = (table.c.organization_id == tenants[0].organization_id, table.c.number == 2)
    await change(log, update(table).where(*second).values(changes))

    found = await verify_manifest(log.database, "done")

    assert not found.fits
    wrong = {one.organization_id: one.problem for one in found.tenants if one.problem}
    assert list(wrong) == [tenants[0].organization_id]
    assert wrong[tenants[0].organization_id].startswith(problem)


async def test_what_was_taken_away_or_added_is_found(log: AuditLog, tenants):
    batches, rows = log.database.jobs.job_run_batches, log.database.jobs.job_run_tenants
    last = (batches.c.organization_id == tenants[0].organization_id, batches.c.number == 4)
    async with log.database.read() as connection:
        kept = (await connection.execute(select(batches).where(*last))).mappings().one()
    mine = update(rows).where(rows.c.organization_id == tenants[0].organization_id)

    await change(log, delete(batches).where(*last))
    assert [one.problem for one in (await verify_manifest(log.database, "done")).tenants] == [
        "4 batches are recorded, 3 have a line.",
        "",
    ]
    await change(log, mine.values(batches=3))
    assert "7 rows are recorded, the lines add up to 6." in [
        one.problem for one in (await verify_manifest(log.database, "done")).tenants
    ]
    await change(log, mine.values(counted=6))
    assert "batch 3: the chain ends otherwise than the organization's row says." in [
        one.problem for one in (await verify_manifest(log.database, "done")).tenants
    ]
    third = select(batches.c.chain).where(last[0], batches.c.number == 3).scalar_subquery()
    await change(log, mine.values(chain=third))
    shortened = await verify_manifest(log.database, "done")
    assert not any(one.problem for one in shortened.tenants)
    assert shortened.problem.startswith("The seal is ")  # the last word, and the workflow's result has it too

    await change(log, insert(batches).values(kept))
    await change(log, insert(batches).values({**kept, "organization_id": "org_nobody"}))
    assert "org_nobody, with which the run never began" in (await verify_manifest(log.database, "done")).problem


async def test_lines_of_before_chains_are_added_up_and_told_as_such(log: AuditLog):
    [tenant] = await log.organization(30)
    now = await log.time()
    await log.entries(tenant, [now - (31 + age) * DAY for age in range(7)])
    asked = {"organization_ids": [tenant.organization_id], "batch_size": 2}
    await log.call(run_id="upgraded", budget=Budget(batches=2), **asked)
    for table in (log.database.jobs.job_run_batches, log.database.jobs.job_run_tenants):
        await change(log, update(table).values(chain=None))  # as a worker of before leaves them

    await log.run(run_id="upgraded", **asked)

    found = await verify_manifest(log.database, "upgraded")
    [one] = found.tenants
    assert found.fits
    assert (one.rows, one.batches, one.unchained) == (7, 4, 2)
    assert one.chain is not None
    await change(log, update(log.database.jobs.job_run_batches).values(rows=5))
    assert not (await verify_manifest(log.database, "upgraded")).fits


async def test_a_run_under_way_fits_and_has_no_seal_yet(log: AuditLog):
    [tenant] = await log.organization(30)
    await log.entries(tenant, [await log.time() - 31 * DAY] * 5)
    asked = {"organization_ids": [tenant.organization_id], "batch_size": 2}
    await log.call(run_id="going", budget=Budget(batches=1), **asked)

    found = await verify_manifest(log.database, "going")

    assert found.fits
    assert (found.state, found.seal, found.rows) == ("running", None, 2)
    with pytest.raises(ResourceNotFoundError, match="No nightly run has the run id or workflow id 'nowhere'"):
        await verify_manifest(log.database, "nowhere")


async def test_a_dry_run_has_nothing_to_add_up(log: AuditLog):
    [tenant] = await log.organization(30)
    await log.entries(tenant, [await log.time() - 31 * DAY])
    done = await purge(log, [tenant], "counted", dry_run=True)

    found = await verify_manifest(log.database, "counted")

    assert found.fits
    assert (found.dry_run, found.tenants, "manifest" in done.result.data) == (True, [], False)
    async with log.database.read() as connection:
        lines = log.database.jobs.job_run_batches
        assert (await connection.execute(select(func.count()).select_from(lines))).scalar_one() == 0
