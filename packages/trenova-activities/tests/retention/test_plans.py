"""Plans of the purge: what they count, who must agree, and that a run by one does at most what it says."""

import dataclasses

import pytest
from auditlog import DAY, AuditLog
from sqlalchemy import delete, update

from trenova_activities.database import (
    HoldScope,
    PlanOptions,
    PlanRefusedError,
    PlanRequiredError,
    StoredPlan,
    Tenant,
    approve_plan,
    find_plan,
    list_plans,
    make_plan,
    place_hold,
    release_hold,
)
from trenova_activities.database._nightly import Budget
from trenova_activities.database._plan import day_name
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError

pytestmark = pytest.mark.integration

PURGE = "delete_audit_entries"


async def planned(log: AuditLog, *tenants: Tenant, approved: bool = True) -> StoredPlan:
    made = await make_plan(
        log.database, PURGE, made_by="ann", organization_ids=[one.organization_id for one in tenants]
    )
    return await approve_plan(log.database, made.hash, approved_by="bob", reason="looked right") if approved else made


async def aged(log: AuditLog, days: int, *ages: int) -> Tenant:
    """Make an organization with a period and an entry of each age in days."""
    [tenant] = await log.organization(days)
    now = await log.time()
    await log.entries(tenant, [now - age * DAY - 60 for age in ages])
    return tenant


async def left(log: AuditLog, tenant: Tenant) -> int:
    return (await log.counts())[tenant.organization_id, tenant.business_unit_id]


async def test_a_plan_counts_by_organization_and_day_and_changes_nothing(log: AuditLog):
    one, other = await aged(log, 30, 31, 31, 40, 29), await aged(log, 365, 400)
    [senseless] = await log.organization(0)
    before, now = await log.rows(), await log.time()

    made = await planned(log, one, other, senseless, approved=False)

    assert await log.rows() == before
    told = {part.tenant: part for part in made.plan.tenants}
    today = (now - 60) // DAY
    assert {day_name(day): rows for day, rows in told[one].days} == {day_name(today - 31): 2, day_name(today - 40): 1}
    assert (told[one].rows, told[other].rows, made.plan.total) == (3, 1, 4)
    assert told[one].cutoff == made.plan.as_of - 30 * DAY
    assert (told[senseless].cutoff, told[senseless].rows) == (None, 0)
    assert told[senseless].reason == "audit_retention_period is 0; it must be between 1 and 36500 days"
    assert made.is_genuine
    assert await find_plan(log.database, made.hash[:8]) == made
    [(row, approvals), *_] = await list_plans(log.database)
    assert (row.hash, row.total, approvals) == (made.hash, 4, [])


async def test_what_a_hold_keeps_is_not_planned_and_is_told_apart(log: AuditLog):
    tenant = await aged(log, 30, 31, 40)
    await log.held(tenant, until_at=await log.time() - 35 * DAY)

    made = await planned(log, tenant, approved=False)

    [part] = made.plan.tenants
    assert (part.rows, part.held_rows) == (1, 1)


async def test_a_run_above_the_limit_stops_before_it_touches_anything_and_says_what_to_do(log: AuditLog):
    tenant = await aged(log, 30, 31, 32, 33)
    log.plans = PlanOptions(require_plan_above=2)
    asked = {"organization_ids": [tenant.organization_id]}

    with pytest.raises(PlanRequiredError) as refused:
        await log.run(**asked)

    assert "More than 2 rows are old enough" in refused.value.message
    assert f"plan make purge --organization {tenant.organization_id} --by " in refused.value.message
    assert await left(log, tenant) == 3
    assert await log.own("job_runs") == []
    assert (await log.run(dry_run=True, **asked)).rows == 3
    log.plans = PlanOptions(require_plan_above=3)
    assert (await log.run(**asked)).rows == 3


async def test_a_run_by_a_plan_deletes_exactly_what_it_says(log: AuditLog):
    tenants = [await aged(log, 30, *range(20, 60)), await aged(log, 10, *range(5, 30))]
    stranger = await aged(log, 10, 11, 12)
    log.plans = PlanOptions(require_plan_above=0)
    plan = await planned(log, *tenants)

    done = await log.run(plan_hash=plan.hash, batch_size=7)

    assert done.rows == plan.plan.total == 50
    assert {row.organization_id: row.deleted_count for row in done.result.organizations} == {
        part.tenant.organization_id: part.rows for part in plan.plan.tenants
    }
    assert await left(log, stranger) == 2
    reasons = {one.organization_id: one.reason for one in done.result.skipped_orgs}
    assert reasons[stranger.organization_id] == f"It is not in the plan {plan.hash}."
    [run] = [row for row in await log.own("job_runs") if row.request.get("planHash")]
    assert run.request["planHash"] == plan.hash


async def test_a_plan_counts_only_if_somebody_else_has_approved_it(log: AuditLog):
    tenant = await aged(log, 30, 31)
    made = await planned(log, tenant, approved=False)
    asked = {"organization_ids": [tenant.organization_id], "plan_hash": made.hash}

    with pytest.raises(PlanRefusedError, match=r"not approved\. Nothing was touched\. Have somebody else than 'ann'"):
        await log.run(**asked)
    with pytest.raises(ConflictError, match="'ann' made this plan"):
        await approve_plan(log.database, made.hash, approved_by=" Ann ")
    for nobody in ("", "  ", "x" * 101):
        with pytest.raises(InvalidInputError, match="Say who approves the plan"):
            await approve_plan(log.database, made.hash, approved_by=nobody)
    await approve_plan(log.database, made.hash, approved_by="ann", alone=True)
    with pytest.raises(PlanRefusedError, match="is not approved"):
        await log.run(**asked)
    assert await left(log, tenant) == 1
    log.plans = PlanOptions(two_person=False)
    assert (await log.run(**asked)).rows == 1


async def test_a_plan_that_is_unknown_or_altered_or_old_begins_nothing(log: AuditLog):
    tenant = await aged(log, 30, 31)
    plan = await planned(log, tenant)
    asked = {"organization_ids": [tenant.organization_id]}
    plans, parts = log.database.jobs.job_plans, log.database.jobs.job_plan_tenants

    with pytest.raises(ResourceNotFoundError, match="There is no plan"):
        await log.run(plan_hash="0" * 64, **asked)
    for table, change, back in (
        (plans, {"made_at": plan.made_at - 8 * DAY}, {"made_at": plan.made_at}),
        (parts, {"cutoff": plan.plan.as_of}, {"cutoff": plan.plan.tenants[0].cutoff}),
    ):
        mine = update(table).where(table.c.hash == plan.hash)
        async with log.database.write() as connection:
            await connection.execute(mine.values(change))
        why = "is 8 days old, and after 7" if table is plans else "was altered after it was made"
        with pytest.raises(PlanRefusedError, match=why):
            await log.run(plan_hash=plan.hash, **asked)
        async with log.database.write() as connection:
            await connection.execute(mine.values(back))
    assert await left(log, tenant) == 1
    assert await log.own("job_runs") == []
    assert (await log.run(plan_hash=plan.hash, **asked)).rows == 1


async def test_a_run_that_has_begun_goes_on_when_its_plan_grows_old(log: AuditLog):
    tenant = await aged(log, 30, 31, 32, 33)
    plan = await planned(log, tenant)
    asked = {"organization_ids": [tenant.organization_id], "plan_hash": plan.hash, "batch_size": 1}
    first = await log.call(run_id="old", budget=Budget(batches=1), **asked)
    plans = log.database.jobs.job_plans
    async with log.database.write() as connection:
        await connection.execute(update(plans).values(made_at=1))

    assert not first.done
    assert (await log.run(run_id="old", **asked)).rows == 3


async def test_the_cut_off_is_never_later_than_planned_and_a_stricter_setting_is_obeyed(log: AuditLog):
    shorter, longer, gone = [await aged(log, 30, 31, 41, 51) for _ in range(3)]
    plan = await planned(log, shorter, longer, gone)
    await log.set_period(shorter, 1)
    await log.entries(shorter, [await log.time() - 10 * DAY])
    await log.set_period(longer, 45)
    periods = log.catalog["data_retention"]
    async with log.database.write() as connection:
        await connection.execute(delete(periods).where(gone.owns(periods)))

    done = await log.run(plan_hash=plan.hash)

    assert {row.organization_id: row.deleted_count for row in done.result.organizations if row.deleted_count} == {
        shorter.organization_id: 3,
        longer.organization_id: 1,
    }
    assert [await left(log, one) for one in (shorter, longer, gone)] == [1, 2, 3]


async def test_rows_that_were_not_planned_are_not_deleted_in_their_place(log: AuditLog):
    tenant, other = await aged(log, 30, 31, 32), await aged(log, 30, 31)
    hold = await place_hold(
        log.database, HoldScope(tenant.organization_id, until_at=5000), reason="suit", placed_by="eve"
    )
    await log.entries(tenant, [1000, 2000])
    plan = await planned(log, tenant, other)
    await release_hold(log.database, hold.id, reason="settled", released_by="eve")

    done = await log.run(plan_hash=plan.hash)

    assert await left(log, tenant) == 4
    [failed] = done.result.partial_failures
    assert failed.organization_id == tenant.organization_id
    assert "More rows are old enough now than the 2 that were planned and are left" in failed.error
    assert await left(log, other) == 0


async def test_a_plan_is_used_up_whatever_number_of_runs_carries_it_out(log: AuditLog):
    tenant = await aged(log, 30, 31, 32, 33)
    plan = await planned(log, tenant)
    asked = {"organization_ids": [tenant.organization_id], "plan_hash": plan.hash, "batch_size": 1}
    await log.call(run_id="broken-off", budget=Budget(batches=1), **asked)
    rest = await log.run(run_id="second", **asked)
    await log.entries(tenant, [1000])

    third = await log.run(run_id="third", **asked)

    assert rest.rows == 2
    assert third.failure
    assert await left(log, tenant) == 1
    assert "than the 0 that were planned and are left" in third.result.partial_failures[0].error


async def test_a_hold_released_under_way_lets_no_more_go_than_were_planned(log: AuditLog):
    tenant = await aged(log, 30, 31, 32, 33)
    await log.entries(tenant, [await log.time() - 31 * DAY], resource_id="shp_kept")
    hold = await place_hold(
        log.database, HoldScope(tenant.organization_id, resource_id="shp_kept"), reason="suit", placed_by="eve"
    )
    plan = await planned(log, tenant)
    asked = {"plan_hash": plan.hash, "batch_size": 2, "organization_ids": [tenant.organization_id]}
    await log.call(run_id="under-way", budget=Budget(batches=1), **asked)
    await release_hold(log.database, hold.id, reason="settled", released_by="eve")

    done = await log.run(run_id="under-way", **asked)

    assert done.rows == plan.plan.total == 3
    assert await left(log, tenant) == 1


async def test_a_setting_that_is_shortened_under_way_does_not_lead_past_the_limit(log: AuditLog):
    one, other = await aged(log, 30, 31, 32), await aged(log, 3650, *range(31, 60))
    log.plans = PlanOptions(require_plan_above=10)
    asked = {"organization_ids": [one.organization_id, other.organization_id], "batch_size": 1}
    await log.call(run_id="short", budget=Budget(batches=1), **asked)
    await log.set_period(other, 30)

    done = await log.run(run_id="short", **asked)

    assert (await left(log, one), await left(log, other)) == (0, 29)
    [failed] = done.result.partial_failures
    assert "The run would change more than the 10 rows that it may without a plan" in failed.error


async def test_the_hash_is_of_everything_that_the_plan_says(log: AuditLog):
    tenant = await aged(log, 30, 31, 40)
    plan = (await planned(log, tenant, approved=False)).plan
    [part] = plan.tenants
    changes = [
        dataclasses.replace(plan, as_of=plan.as_of + 1),
        dataclasses.replace(plan, job_type="cancel_shipments"),
        dataclasses.replace(plan, organization_ids=[]),
        dataclasses.replace(plan, tenants=[]),
        *(
            dataclasses.replace(plan, tenants=[dataclasses.replace(part, **change)])
            for change in ({"setting": "31"}, {"cutoff": part.cutoff + 1}, {"held_rows": 1}, {"days": part.days[:1]})
        ),
    ]
    assert len({plan.hash(), *(one.hash() for one in changes)}) == 1 + len(changes)


async def test_a_plan_of_another_job_is_refused(log: AuditLog):
    plan = await make_plan(log.database, "cancel_shipments", made_by="ann")
    await approve_plan(log.database, plan.hash, approved_by="bob")

    with pytest.raises(PlanRefusedError, match="is of cancel_shipments, not of delete_audit_entries"):
        await log.run(plan_hash=plan.hash)
    with pytest.raises(InvalidInputError, match="There is no plan for 'duplicate_shipment'"):
        await make_plan(log.database, "duplicate_shipment", made_by="ann")
