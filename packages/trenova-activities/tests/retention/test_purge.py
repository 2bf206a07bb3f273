import asyncio

import pytest
from auditlog import DAY, AuditLog, opened

from trenova_activities.database import Database, DatabaseOptions, check, migrate, retention_sql, revoke_retention
from trenova_activities.database._nightly import Budget
from trenova_activities.database._nightly_job import ids_digest
from trenova_errors import ConfigurationError

pytestmark = pytest.mark.integration

ONE_BATCH = Budget(batches=1)


async def test_an_append_only_log_fails_the_run_before_anything_is_touched(closed_log: AuditLog):
    [tenant] = await closed_log.organization(1)
    await closed_log.entries(tenant, [1000, 2000])
    before = await closed_log.rows()

    for dry_run in (False, True):
        with pytest.raises(ConfigurationError, match=r"append-only.*'trenova-activities db allow-retention' lets"):
            await closed_log.run(dry_run=dry_run)
    assert await closed_log.rows() == before
    assert await closed_log.own("job_runs") == []
    [lack] = (await check(closed_log.database, ["delete_audit_entries"]))["delete_audit_entries"]
    assert "allow-retention" in lack


async def test_a_log_that_is_closed_again_half_way_stops_the_run(log: AuditLog):
    [tenant] = await log.organization(1)
    await log.entries(tenant, range(1000, 1010))
    first = await log.call(run_id="one", budget=ONE_BATCH, batch_size=4, organization_ids=[tenant.organization_id])
    await revoke_retention(log.database)

    with pytest.raises(ConfigurationError, match="append-only"):
        await log.run(run_id="one", batch_size=4, organization_ids=[tenant.organization_id])
    assert (first.done, first.rows, (await log.counts())[tenant.organization_id, tenant.business_unit_id]) == (
        False,
        4,
        6,
    )
    assert await retention_sql(log.database, revoke=True) == []


async def test_two_organizations_lose_exactly_what_their_own_period_has_outlived(log: AuditLog):
    now = await log.time()
    [month], [year] = await log.organization(30), await log.organization(365)
    ages = [1, 29, 30, 31, 90, 364, 366, 1000]
    for tenant in (month, year):
        await log.entries(tenant, [now - age * DAY - 60 for age in ages])
    before = await log.counts()

    done = await log.run()

    after = await log.counts()
    lost = {key: before[key] - after[key] for key in before if before[key] != after[key]}
    assert {key: lost[key] for key in lost if key[0].startswith("org_r")} == {
        (month.organization_id, month.business_unit_id): 6,
        (year.organization_id, year.business_unit_id): 2,
    }
    assert done.result.total_deleted == sum(lost.values())
    told = {row.organization_id: row for row in done.result.organizations}
    assert (told[month.organization_id].deleted_count, told[month.organization_id].retention_days) == (6, 30)
    assert told[year.organization_id].cutoff == done.result.data["asOf"] - 365 * DAY


async def test_an_organization_without_a_row_and_another_business_unit_are_not_purged(log: AuditLog):
    mine, theirs = await log.organization(1, units=2)
    [none] = await log.organization(has_row=False)
    for tenant in (mine, theirs, none):
        await log.entries(tenant, [1000, 2000])

    done = await log.run(organization_ids=[mine.organization_id, none.organization_id])

    counts = await log.counts()
    assert [counts[one.organization_id, one.business_unit_id] for one in (mine, theirs, none)] == [0, 2, 2]
    assert [row.organization_id for row in done.result.skipped_orgs] == [none.organization_id]


async def test_a_period_out_of_range_is_a_reason_and_never_a_default(log: AuditLog):
    expected = {}
    for period in (0, -1, -3650, 36_501, 2**31 - 1):
        [tenant] = await log.organization(period)
        await log.entries(tenant, [0, 1, 1000])
        reason = f"audit_retention_period is {period}; it must be between 1 and 36500 days"
        expected[tenant.organization_id] = reason

    done = await log.run(organization_ids=list(expected))

    assert {one.organization_id: one.reason for one in done.result.skipped_orgs} == expected
    counts = await log.counts()
    assert sum(count for (organization, _), count in counts.items() if organization in expected) == 3 * len(expected)
    assert done.result.total_deleted == 0


@pytest.mark.parametrize(("nonsense", "shown"), [(None, "NULL"), ("'soon'", "soon"), ("1.5", "1.5"), ("'NaN'", "NaN")])
async def test_a_period_that_is_no_number_of_days_is_a_reason(log: AuditLog, nonsense, shown):
    [tenant] = await log.organization(30)
    await log.entries(tenant, [0, 1, 1000])
    kind = {"NULL": "bigint", "soon": "text"}.get(shown, "numeric")
    if not log.database.options.is_sqlite:  # SQLite stores what it is given
        await log.execute(
            "ALTER TABLE data_retention ALTER audit_retention_period DROP DEFAULT",
            "ALTER TABLE data_retention ALTER audit_retention_period DROP NOT NULL",
            f"ALTER TABLE data_retention ALTER audit_retention_period TYPE {kind}",
        )
    await log.execute(
        f"UPDATE data_retention SET audit_retention_period = {nonsense or 'NULL'} "
        f"WHERE organization_id = '{tenant.organization_id}'"
    )
    log.catalog = await log.catalog.reflect(log.database, list(log.catalog.tables))

    done = await log.run(organization_ids=[tenant.organization_id])

    [skipped] = done.result.skipped_orgs
    assert skipped.reason == f"audit_retention_period is {shown}; it must be a number of days"
    assert (await log.counts())[tenant.organization_id, tenant.business_unit_id] == 3


async def test_a_dry_run_counts_what_the_real_one_deletes_and_deletes_nothing(log: AuditLog):
    now = await log.time()
    tenants = [(await log.organization(period))[0] for period in (1, 30, 365, 0)]
    for tenant in tenants:
        await log.entries(tenant, [now - age * DAY - 60 for age in range(0, 800, 25)])
    await log.held(tenants[1], resource="shipment", from_at=now - 200 * DAY, until_at=now - 100 * DAY)
    before = await log.rows()

    counted = await log.run(dry_run=True)
    assert await log.rows() == before
    assert await log.own("job_run_batches") == []
    done = await log.run()

    assert counted.result.organizations == [
        row.model_copy(update={"cutoff": mine.cutoff})  # the second run began a moment later
        for row, mine in zip(done.result.organizations, counted.result.organizations, strict=True)
    ]
    assert counted.result.total_deleted == done.result.total_deleted == len(before) - len(await log.rows())
    assert counted.result.result == done.result.result.replace(" were ", " would be ")


async def test_what_a_hold_covers_stays_until_it_is_released(log: AuditLog):
    [tenant] = await log.organization(1)
    kept = await log.entries(tenant, [1000, 2000], resource_id="shp_held")
    await log.entries(tenant, [1000, 3000])
    await log.held(tenant, resource="shipment", resource_id="shp_held")
    asked = {"organization_ids": [tenant.organization_id]}

    counted = await log.run(dry_run=True, **asked)
    done = await log.run(**asked)
    assert done.result.total_deleted == 2
    assert set(kept) <= set(await log.rows())
    for one in (counted, done):
        assert one.result.data["held"] == one.result.organizations[0].held == 2

    holds = log.database.jobs.legal_holds.fullname
    await log.execute(f"UPDATE {holds} SET released_at = 5")
    released = await log.run(**asked)
    assert (released.result.total_deleted, released.result.data["held"]) == (2, 0)


async def test_a_hold_laid_during_the_run_is_obeyed_by_the_next_batch(log: AuditLog):
    [tenant] = await log.organization(1)
    await log.entries(tenant, range(1000, 1010))
    asked = {"organization_ids": [tenant.organization_id], "batch_size": 3}
    await log.call(run_id="one", budget=ONE_BATCH, **asked)
    await log.held(tenant)

    done = await log.run(run_id="one", **asked)
    assert done.result.total_deleted == 3


@pytest.mark.parametrize(("period", "left"), [(30, 7), (0, 7), (1, 0)])
async def test_a_period_that_changes_during_the_run_can_only_spare_more(log: AuditLog, period, left):
    now = await log.time()
    [tenant] = await log.organization(1)
    await log.entries(tenant, [now - 5 * DAY + second for second in range(10)])
    asked = {"organization_ids": [tenant.organization_id], "batch_size": 3}
    await log.call(run_id="one", budget=ONE_BATCH, **asked)
    await log.set_period(tenant, period)
    await log.entries(tenant, [now - DAY + 60])

    done = await log.run(run_id="one", **asked)
    assert (await log.counts())[tenant.organization_id, tenant.business_unit_id] == left + 1
    assert (done.failure, done.result.partial_failures) == ("", [])


async def test_entries_with_an_impossible_time_stay_and_are_counted(log: AuditLog):
    now = await log.time()
    [tenant] = await log.organization(1)
    odd = await log.entries(tenant, [-1, -(10**15), now * 1000])
    await log.entries(tenant, [0, 1])

    done = await log.run(organization_ids=[tenant.organization_id])

    assert done.result.data["oddRows"] == done.result.organizations[0].odd_rows == 3
    assert done.result.total_deleted == 2
    assert set(odd) <= set(await log.rows())


async def test_the_manifest_adds_up_to_exactly_what_is_gone(log: AuditLog):
    [tenant] = await log.organization(1)
    ids = await log.entries(tenant, [1000 + number // 3 for number in range(100)])

    await log.run(organization_ids=[tenant.organization_id], batch_size=7)

    batches = await log.own("job_run_batches")
    assert [batch.number for batch in batches] == list(range(1, 16))
    assert [batch.rows for batch in batches] == [7] * 14 + [2]
    in_order = sorted(ids, key=lambda id_: (1000 + ids.index(id_) // 3, id_))
    assert [batch.digest for batch in batches] == [ids_digest(in_order[i : i + 7]) for i in range(0, 100, 7)]
    assert (batches[0].first_id, batches[-1].last_id) == (in_order[0], in_order[-1])


async def test_the_digest_is_of_the_ids_by_code_point_whatever_the_database_sorts_by(log: AuditLog):
    [tenant] = await log.organization(1)
    ids = ["ae_1z", "ae_1Z", "ae_1\u00e4", "ae_1a\u0308", "ae_1\U0001f69a", "ae_1\uffee", "ae_1 ", "ae_10"]
    fixed = {"principal_type": "system", "principal_id": "system", "resource": "shipment", "resource_id": "shp_1"}
    rows = [{"id": id_, **tenant.values, **fixed, "operation": "update", "timestamp": 1000} for id_ in ids]
    await log.insert("audit_entries", [*rows, {**rows[0], "id": "ae_last", "timestamp": 1001}])

    done = await log.run(organization_ids=[tenant.organization_id])

    [batch] = await log.own("job_run_batches")
    assert (batch.rows, done.result.total_deleted) == (9, 9)
    assert batch.digest == ids_digest([*ids, "ae_last"])
    assert batch.first_id in ids
    assert (batch.first_at, batch.last_at, batch.last_id) == (1000, 1001, "ae_last")


async def test_two_runs_at_once_delete_everything_once(log: AuditLog):
    now = await log.time()
    tenants = [(await log.organization(30))[0] for _ in range(4)]
    for tenant in tenants:
        await log.entries(tenant, [now - 31 * DAY - number // 3 for number in range(300)])
    asked = {"organization_ids": [tenant.organization_id for tenant in tenants], "batch_size": 10}

    first, second = await asyncio.gather(*(log.run(run_id=name, **asked) for name in ("manual", "scheduled")))

    assert first.result.total_deleted + second.result.total_deleted == 1200
    assert not first.result.partial_failures + second.result.partial_failures
    assert sum(batch.rows for batch in await log.own("job_run_batches")) == 1200
    counts = await log.counts()
    assert [counts[one.organization_id, one.business_unit_id] for one in tenants] == [0] * 4


@pytest.mark.parametrize("count", [110, pytest.param(250, marks=pytest.mark.slow)])
async def test_many_organizations_are_served_and_a_hundred_named(log: AuditLog, count):
    tenants = [(await log.organization(30))[0] for _ in range(count)]
    for tenant in tenants[::10]:
        await log.entries(tenant, [1000])

    done = await log.run(organization_ids=[tenant.organization_id for tenant in tenants])

    assert done.result.total_deleted == count // 10
    assert done.result.data["processedOrgs"] == count
    assert (len(done.result.organizations), done.result.truncated) == (100, True)


async def test_one_organization_that_fails_does_not_stop_the_next(log: AuditLog):
    tenants = [(await log.organization(1))[0] for _ in range(3)]
    for tenant in tenants:
        await log.entries(tenant, [1000, 2000])
    bad = tenants[1]
    if log.database.options.is_sqlite:
        await log.execute(
            f"CREATE TRIGGER refuses BEFORE DELETE ON audit_entries WHEN OLD.organization_id = '{bad.organization_id}' "
            "BEGIN INSERT INTO audit_entries (id) VALUES (NULL); END"
        )
    else:
        await log.execute(
            "CREATE TABLE quotes (entry varchar(100), org varchar(100), bu varchar(100), "
            "FOREIGN KEY (entry, bu, org) REFERENCES audit_entries (id, business_unit_id, organization_id))"
            if "principal_type" in log.catalog["audit_entries"].c
            else "CREATE TABLE quotes (entry varchar(100), org varchar(100), bu varchar(100), "
            "FOREIGN KEY (entry, org, bu) REFERENCES audit_entries (id, organization_id, business_unit_id))",
            f"INSERT INTO quotes SELECT id, organization_id, business_unit_id FROM audit_entries "
            f"WHERE organization_id = '{bad.organization_id}'",
        )

    done = await log.run(organization_ids=[tenant.organization_id for tenant in tenants])

    [failure] = done.result.partial_failures
    assert failure.organization_id == bad.organization_id
    assert [row.deleted_count for row in done.result.organizations] == [2, 2]
    assert [notice.organization_id for notice in done.notices] == [bad.organization_id]
    assert done.result.result == "4 audit entries were deleted for 2 organizations, 1 failed."


async def test_a_refusing_trigger_that_could_not_be_seen_is_named_as_such(log: AuditLog):
    if log.database.options.is_sqlite:
        pytest.skip("every trigger of SQLite can be read")
    [tenant] = await log.organization(1)
    await log.entries(tenant, [1000])
    await log.execute(
        "CREATE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER hidden BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION hidden()",
    )

    done = await log.run(organization_ids=[tenant.organization_id])
    assert "A trigger of audit_entries refused the deletion" in done.failure
    assert (await log.counts())[tenant.organization_id, tenant.business_unit_id] == 1


async def test_a_log_that_refuses_nothing_is_purged_by_the_same_rules(log_url):

    async with opened(log_url, allow=False) as log:
        if log.database.options.is_sqlite:
            await log.execute("DROP TRIGGER audit_entries_no_delete")
        else:
            await log.execute("DROP TRIGGER audit_entries_append_only ON audit_entries")
        now = await log.time()
        mine, theirs = await log.organization(30, units=2)
        for tenant in (mine, theirs):
            await log.entries(tenant, [now - 31 * DAY - number for number in range(50)] + [now - 29 * DAY, -5])
        await log.held(mine, from_at=now - 31 * DAY - 9, until_at=now - 31 * DAY)

        runs = await asyncio.gather(*(log.run(organization_ids=[mine.organization_id], batch_size=7) for _ in range(2)))

        assert sum(done.result.total_deleted for done in runs) == 40
        counts = await log.counts()
        assert [counts[one.organization_id, one.business_unit_id] for one in (mine, theirs)] == [12, 52]


async def test_a_log_in_a_named_schema_is_purged_there(empty_postgres_url):
    async with Database.open(DatabaseOptions(url=empty_postgres_url, schema_name="Tms data")) as database:
        await migrate(database)
    async with opened(empty_postgres_url, schema_name="Tms data") as log:
        now = await log.time()
        [tenant] = await log.organization(30)
        await log.entries(tenant, [now - 31 * DAY, now - 29 * DAY])

        assert await check(log.database, ["delete_audit_entries"]) == {"delete_audit_entries": []}
        assert (await log.run()).result.total_deleted == 1
        await revoke_retention(log.database)
        with pytest.raises(ConfigurationError, match="append-only"):
            await log.run()


async def test_a_run_that_broke_off_is_told_to_the_role_of_every_organization(closed_log: AuditLog):
    tenants = [(await closed_log.organization(1))[0] for _ in range(2)]
    asked = {"organization_ids": [tenant.organization_id for tenant in tenants]}

    told = await closed_log.call(failed=True, **asked)

    assert [(notice.organization_id, notice.role) for notice in told.notices] == [
        (tenant.organization_id, "admin") for tenant in tenants
    ]


async def test_a_wrong_clock_is_refused_before_anything_is_touched(log: AuditLog):
    [tenant] = await log.organization(1)
    await log.entries(tenant, [1000])
    real = await log.time()

    for apart in (-330, 330, 10 * 365 * DAY, -10 * 365 * DAY):
        log.asked_at = real + apart
        with pytest.raises(ConfigurationError, match="seconds apart"):
            await log.run(organization_ids=[tenant.organization_id])
    assert (await log.counts())[tenant.organization_id, tenant.business_unit_id] == 1
    assert await log.own("job_runs") == []
