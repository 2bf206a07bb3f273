import ast
import asyncio
import random
import re
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from world import DAY, NOW, World, opened

import trenova_activities
from trenova_activities.database import Tenant, _nightly_progress
from trenova_activities.database._cancellation import Cancellation
from trenova_activities.database._nightly import Budget
from trenova_activities.database._nightly_job import ids_digest
from trenova_errors import ConfigurationError, ConflictError, DataIntegrityError, RetryableError, UnavailableError

pytestmark = pytest.mark.integration

OLD = NOW - 31 * DAY
ONE_BATCH = Budget(batches=1)


class DeadlockError(Exception):
    sqlstate = "40P01"


async def statuses(world: World, tenant: Tenant) -> list[str]:
    return [row.status for row in (await world.rows("shipments", tenant)).values()]


def failing(monkeypatch, error, *, at, times=1):
    """Let the batches of one tenant fail, so many times, after they have changed their rows."""
    genuine = Cancellation.batch
    failures = []

    async def batch(self, connection, tenant, cutoff, **options):
        result = await genuine(self, connection, tenant, cutoff, **options)
        if tenant == at and len(failures) < times:
            failures.append(tenant)
            raise error
        return result

    monkeypatch.setattr(Cancellation, "batch", batch)
    return failures


@pytest.mark.timeout(300)  # hundreds of transactions, or a thousand
@pytest.mark.parametrize("count", [105, pytest.param(250, marks=pytest.mark.slow)])
async def test_many_organizations_are_served_and_the_101st_too(world: World, count):
    tenants = await world.tenants(count)
    for tenant in tenants:
        await world.shipments(tenant, [OLD])

    progress = await world.run()

    assert {row.status for row in (await world.rows("shipments", *tenants)).values()} == {"Canceled"}
    assert progress.result.total_cancelled == count
    assert len(progress.result.processed_orgs) == 100
    assert progress.result.truncated
    assert progress.result.data["processedOrgs"] == len(await world.own("job_run_tenants", state="done"))


async def test_a_call_works_for_a_bounded_time_and_the_next_goes_on(world: World):
    tenants = await world.tenants(3)
    for tenant in tenants:
        await world.shipments(tenant, [OLD - number for number in range(5)])

    calls = 0
    while not (progress := await world.call(run_id="slow", batch_size=2, budget=ONE_BATCH)).done:
        calls += 1
        assert progress.rows <= 2 * calls
    assert calls >= 8  # nine batches, the last of which may end the run
    assert progress.result.total_cancelled == 15
    assert {status for tenant in tenants for status in await statuses(world, tenant)} == {"Canceled"}


async def test_a_call_without_any_time_still_makes_progress(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD, OLD])

    for _ in range(20):
        if (progress := await world.call(budget=Budget(seconds=0), batch_size=1)).done:
            break
    assert progress.done


async def test_a_call_on_a_worker_that_drains_stops_after_a_batch_and_loses_nothing(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD - number for number in range(5)])

    first = await world.call(run_id="moved", batch_size=2)
    assert first.done  # with all the time in the world

    await world.shipments(tenant, [OLD - number for number in range(5)])
    handed_over = await world.call(run_id="again", batch_size=2, draining=True)
    assert not handed_over.done
    done = await world.run(run_id="again", batch_size=2)
    assert done.result.total_cancelled == 5
    batches = await world.own("job_run_batches", run_id="again")
    assert [batch.rows for batch in batches] == [2, 2, 1]


async def test_the_manifest_names_every_row_once(world: World):
    [tenant] = await world.tenants(1)
    ids = await world.shipments(tenant, [OLD - number for number in range(7)])

    await world.run(batch_size=3)

    batches = await world.own("job_run_batches", organization_id=tenant.organization_id)
    assert [batch.rows for batch in batches] == [3, 3, 1]
    assert [batch.number for batch in batches] == [1, 2, 3]
    oldest = list(reversed(ids))
    assert [batch.digest for batch in batches] == [
        ids_digest(oldest[:3]),
        ids_digest(oldest[3:6]),
        ids_digest(oldest[6:]),
    ]
    assert (batches[0].first_id, batches[0].first_at, batches[2].last_id) == (ids[6], OLD - 6, ids[0])
    [state] = await world.own("job_run_tenants", organization_id=tenant.organization_id)
    assert (state.counted, state.batches, state.cutoff, state.setting) == (7, 3, NOW - 30 * DAY, "30")


async def test_shipments_of_the_same_second_are_all_found(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD] * 10)

    await world.run(batch_size=3)

    assert set(await statuses(world, tenant)) == {"Canceled"}


async def test_the_cut_off_is_fixed_when_the_run_begins(world: World):
    first, second = await world.tenants(2)
    for tenant in (first, second):
        await world.shipments(tenant, [NOW - 30 * DAY, NOW - 30 * DAY + 60])

    await world.call(run_id="night", budget=ONE_BATCH)
    world.now = NOW + 3600
    while not (await world.call(run_id="night", budget=ONE_BATCH)).done:
        pass

    assert await statuses(world, first) == await statuses(world, second) == ["Canceled", "New"]


@pytest.mark.parametrize(("threshold", "canceled"), [(10, 6), (30, 6), (60, 2)])
async def test_a_threshold_that_changes_during_the_run_can_only_spare_more(world: World, threshold, canceled):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD] * 6 + [NOW - 20 * DAY] * 2)
    options = {"run_id": "night", "batch_size": 2, "budget": ONE_BATCH, "organization_ids": [tenant.organization_id]}
    progress = await world.call(**options)

    await world.control(tenant, enabled=True, threshold=threshold)
    while not progress.done:
        progress = await world.call(**options)

    assert (await statuses(world, tenant)).count("Canceled") == canceled == progress.result.total_cancelled


async def test_a_setting_that_is_withdrawn_meanwhile_ends_the_tenants_part(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD] * 4)
    options = {"run_id": "night", "batch_size": 2, "budget": ONE_BATCH, "organization_ids": [tenant.organization_id]}
    progress = await world.call(**options)

    await world.control(tenant, enabled=False, threshold=30)
    while not progress.done:
        progress = await world.call(**options)

    assert (await statuses(world, tenant)).count("Canceled") == 2
    assert progress.result.total_cancelled == 2
    assert [one.organization_id for one in progress.result.skipped_orgs] == [tenant.organization_id]


async def test_a_finished_run_gives_its_result_again_and_changes_nothing(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD])
    first = await world.call(run_id="night")
    before = await world.everything()

    again = await world.call(run_id="night")

    assert again == first
    assert await world.everything() == before


async def test_another_request_under_the_same_run_is_a_conflict(world: World):
    await world.tenants(1)
    await world.call(run_id="night")

    with pytest.raises(ConflictError, match="begun with another request"):
        await world.call(run_id="night", dry_run=True)


@pytest.mark.parametrize("apart", [-301, 301, -3650 * DAY, 3650 * DAY])
async def test_clocks_that_are_apart_are_refused_before_anything_is_touched(world: World, apart):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [0, OLD])
    before = await world.everything()

    with pytest.raises(ConfigurationError, match="seconds apart"):
        await world.call(server_time=NOW + apart)

    assert await world.everything() == before
    assert await world.own("job_runs") == []


async def test_clocks_within_five_minutes_are_trusted_and_the_databases_counts(world: World):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [NOW - 30 * DAY])

    await world.call(server_time=NOW - 300)

    assert await statuses(world, tenant) == ["Canceled"]


async def test_a_deadlock_is_tried_again_and_changes_nothing_twice(world: World, monkeypatch):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD] * 3)
    failures = failing(monkeypatch, OperationalError("UPDATE", {}, DeadlockError()), at=tenant, times=3)

    progress = await world.run()

    assert len(failures) == 3
    assert progress.result.total_cancelled == 3
    assert progress.result.partial_failures == []
    assert {row.version for row in (await world.rows("shipments", tenant)).values()} == {4}


async def test_a_lock_that_never_goes_away_fails_one_tenant_only(world: World, monkeypatch):
    stuck, fine = await world.tenants(2)
    for tenant in (stuck, fine):
        await world.shipments(tenant, [OLD])
    failing(monkeypatch, RetryableError("The database gave up: deadlock."), at=stuck, times=99)

    progress = await world.run()

    [failure] = progress.result.partial_failures
    assert (failure.organization_id, failure.error) == (stuck.organization_id, "The database gave up: deadlock.")
    assert await statuses(world, stuck) == ["New"]
    assert await statuses(world, fine) == ["Canceled"]
    assert progress.failure == ""
    [notice] = progress.notices
    assert (notice.organization_id, notice.role) == (stuck.organization_id, "admin")


@pytest.mark.parametrize("error", [DataIntegrityError("The database refused the rows."), TypeError("weird")])
async def test_a_tenant_that_fails_for_good_does_not_stop_the_others(world: World, monkeypatch, error):
    first, second, third = await world.tenants(3)
    for tenant in (first, second, third):
        await world.shipments(tenant, [OLD])
    failing(monkeypatch, error, at=second)

    progress = await world.run()

    assert [one.organization_id for one in progress.result.partial_failures] == [second.organization_id]
    assert [await statuses(world, one) for one in (first, second, third)] == [["Canceled"], ["New"], ["Canceled"]]


async def test_what_a_tenant_lost_before_it_failed_is_still_counted(world: World, monkeypatch):
    failed, fine = await world.tenants(2)
    await world.shipments(failed, [OLD] * 4)
    await world.shipments(fine, [OLD])
    genuine = Cancellation.batch

    async def batch(self, connection, tenant, cutoff, *, after, **options):
        if tenant == failed and after is not None:
            raise DataIntegrityError("The database refused the rows.")
        return await genuine(self, connection, tenant, cutoff, after=after, **options)

    monkeypatch.setattr(Cancellation, "batch", batch)
    progress = await world.run(batch_size=3)

    assert progress.result.total_cancelled == 4
    counts = {one.organization_id: one.cancelled_count for one in progress.result.processed_orgs}
    assert counts[failed.organization_id] == 3
    assert "3 records had been changed" in progress.notices[0].words


async def test_all_failed_is_a_failed_run(world: World, monkeypatch):
    tenants = await world.tenants(3)
    asked = [tenant.organization_id for tenant in tenants]

    async def batch(*_, **__):
        raise DataIntegrityError("The database refused the rows.")

    monkeypatch.setattr(Cancellation, "batch", batch)
    progress = await world.run(organization_ids=asked)

    assert progress.failure == (
        f"All 3 organizations failed; the first, {asked[0]!r}, with: The database refused the rows."
    )
    assert [notice.organization_id for notice in progress.notices] == asked


async def test_a_lost_database_leaves_the_call_and_fails_no_tenant(world: World, monkeypatch):
    [tenant] = await world.tenants(1)
    await world.shipments(tenant, [OLD] * 2)
    failing(monkeypatch, UnavailableError("The database cannot be reached."), at=tenant)

    with pytest.raises(UnavailableError):
        await world.call(run_id="night")
    progress = await world.run(run_id="night")

    assert progress.result.total_cancelled == 2
    assert progress.result.partial_failures == []


async def test_whom_to_tell_when_the_run_broke_off(world: World):
    on, off = await world.tenants(2)
    await world.control(off, enabled=False, threshold=30)

    never_begun = await world.call(run_id="night", failed=True)
    await world.call(run_id="night", organization_ids=[on.organization_id])
    begun = await world.call(run_id="night", organization_ids=[on.organization_id], failed=True)

    assert on.organization_id in {notice.organization_id for notice in never_begun.notices}
    assert off.organization_id not in {notice.organization_id for notice in never_begun.notices}
    assert [notice.organization_id for notice in begun.notices] == [on.organization_id]


async def test_two_runs_at_once_do_nothing_twice(world: World):
    tenants = await world.tenants(4)
    for tenant in tenants:
        await world.shipments(tenant, [OLD - number % 3 for number in range(40)], moves=["New"])

    runs = await asyncio.gather(*(world.run(run_id=name, batch_size=7) for name in ("manual", "scheduled", "third")))

    rows = await world.rows("shipments", *tenants)
    assert {(row.status, row.version) for row in rows.values()} == {("Canceled", 4)}
    assert {row.version for row in (await world.rows("stops", *tenants)).values() if row.status == "Canceled"} <= {5, 6}
    assert sum(run.result.total_cancelled for run in runs) == 160
    assert [run.result.partial_failures for run in runs] == [[], [], []]
    entries = [row.resource_id for row in (await world.rows("audit_entries", *tenants)).values()]
    assert sorted(entries) == sorted(rows)


async def test_a_person_who_is_faster_wins(world: World, monkeypatch):
    """The status is checked again by the update itself, after the candidates were read."""
    [tenant] = await world.tenants(1)
    first, second = await world.shipments(tenant, [OLD, OLD])
    genuine = Cancellation._candidates

    async def candidates(self, connection, *arguments):
        found = await genuine(self, connection, *arguments)
        table = self._shipments
        await connection.execute(update(table).where(table.c.id == first).values(status="Assigned"))
        return found

    monkeypatch.setattr(Cancellation, "_candidates", candidates)
    progress = await world.run()

    rows = await world.rows("shipments", tenant)
    assert (rows[first].status, rows[second].status) == ("Assigned", "Canceled")
    assert progress.result.total_cancelled == 1


async def test_two_attempts_of_one_call_take_turns(world: World):
    """A worker that was taken for dead may still be at work when its successor begins."""
    tenants = await world.tenants(5)
    for tenant in tenants:
        await world.shipments(tenant, [OLD] * 9)

    both = await asyncio.gather(*(world.run(run_id="night", batch_size=2) for _ in range(2)))

    assert {one.result.total_cancelled for one in both} == {45}
    batches = await world.own("job_run_batches", run_id="night")
    assert sum(batch.rows for batch in batches) == 45
    for tenant in tenants:
        numbers = [batch.number for batch in batches if batch.organization_id == tenant.organization_id]
        assert numbers == list(range(1, len(numbers) + 1))


# A call that is cut off while it connects leaves that connection to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*sqlite3.Connection:pytest.PytestUnraisableExceptionWarning")
async def test_a_call_that_is_cut_off_anywhere_loses_and_repeats_nothing(world: World):
    chance = random.Random(7)
    tenants = await world.tenants(6)
    for tenant in tenants:
        await world.shipments(tenant, [OLD - number for number in range(20)], moves=["New"])

    for _ in range(25):
        call = asyncio.create_task(world.call(run_id="night", batch_size=3))
        await asyncio.sleep(chance.uniform(0, 0.15))
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    progress = await world.run(run_id="night", batch_size=3)

    assert progress.result.total_cancelled == 120
    assert {row.version for row in (await world.rows("shipments", *tenants)).values()} == {4}
    assert sum(batch.rows for batch in await world.own("job_run_batches")) == 120
    assert len(await world.rows("audit_entries", *tenants)) == 120


async def test_a_dry_run_writes_our_own_tables_only_and_counts_what_the_real_one_does(world: World):
    tenants = await world.tenants(3)
    for tenant in tenants:
        await world.shipments(tenant, [OLD, NOW, None, OLD - 1])
    before = await world.everything()

    dry = await world.run(dry_run=True)
    assert await world.everything() == before
    real = await world.run()

    assert dry.result.processed_orgs == real.result.processed_orgs
    assert dry.result.total_cancelled == real.result.total_cancelled == 6
    assert dry.result.result.replace("would be", "were") == real.result.result
    assert dry.result.data["oddRows"] == real.result.data["oddRows"] == 3


async def test_a_call_tells_how_far_it_is_with_each_organization(world: World, monkeypatch):
    monkeypatch.setattr(_nightly_progress, "_LOOK_EVERY_S", 0.0)
    tenants = await world.tenants(12)
    for tenant in tenants:
        await world.shipments(tenant, [OLD] * 3)
    first, last = tenants[0].organization_id, tenants[-1].organization_id

    asked = [tenant.organization_id for tenant in tenants]
    await world.run(dry_run=True, organization_ids=asked)
    dry, world.stages[:] = world.stages[:], []
    await world.run(batch_size=2, organization_ids=asked)

    assert all(stage.startswith("dry run, ") for stage in dry)
    assert dry[-1].startswith(f"dry run, 11 organizations, 33 rows, now {last}\n")
    assert f"\n{first}: 3 rows, done" in dry[9]
    assert world.stages[0].startswith(f"0 organizations, 0 rows, now {first}")
    assert any(re.search(rf"now {first}.*\n{first}: 2 rows, running", stage) for stage in world.stages)
    assert re.search(rf"11 organizations, 35 rows, now {last}, [\d,]+ rows/s.*\n", world.stages[-1])
    assert f"\n{last}: 2 rows, running" in world.stages[-1]
    assert max(stage.count("\n") for stage in world.stages) == 10


async def test_a_trigger_that_raises_fails_the_tenant_and_leaves_no_half_of_a_batch(current_tms_url):
    async with opened(current_tms_url) as world:
        stuck, fine = await world.tenants(2)
        for tenant in (stuck, fine):
            await world.shipments(tenant, [OLD] * 3, moves=["New"])
        async with world.database.write() as connection:
            await connection.execute(
                text(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    f"IF NEW.organization_id = '{stuck.organization_id}' THEN RAISE EXCEPTION 'no'; END IF; "
                    "RETURN NEW; END $$"
                )
            )
            await connection.execute(
                text("CREATE TRIGGER refuse BEFORE UPDATE ON stops FOR EACH ROW EXECUTE FUNCTION refuse()")
            )
        before = await world.rows("shipments", stuck)

        progress = await world.run()

        assert await world.rows("shipments", stuck) == before
        assert [one.organization_id for one in progress.result.partial_failures] == [stuck.organization_id]
        assert await statuses(world, fine) == ["Canceled"] * 3


async def test_a_real_deadlock_is_tried_again(current_tms_url):
    async with opened(current_tms_url, lock_timeout_s=5) as world, opened(current_tms_url) as other:
        [tenant] = await world.tenants(1)
        first, second = await world.shipments(tenant, [OLD, OLD], moves=["New"])
        shipments = world.catalog["shipments"]
        async with other.database.write() as connection:
            await connection.execute(update(shipments).where(shipments.c.id == second).values(bol="mine"))
            run = asyncio.create_task(world.run())
            await asyncio.sleep(0.5)  # the run holds the first and waits for the second
            try:
                await connection.execute(update(shipments).where(shipments.c.id == first).values(bol="mine too"))
            except DBAPIError:  # PostgreSQL breaks the deadlock by giving up either of the two
                await connection.rollback()
        progress = await run

        assert progress.result.total_cancelled == 2
        assert progress.result.partial_failures == []


def test_no_module_of_the_nightly_jobs_reads_the_workers_clock():
    """Cut-offs come from the database; a worker whose clock is years off must do the same."""
    package = Path(trenova_activities.__file__).parent
    modules = [*package.rglob("_nightly*.py"), *package.rglob("_cancellation*.py"), *package.rglob("_retention*.py")]
    clocks = {"time", "now", "utcnow", "today", "time_ns", "perf_counter", "fromtimestamp", "gmtime", "localtime"}
    loops = {("_nightly.py", "time"), ("_nightly_progress.py", "time")}  # how long something takes, not what time it is
    allowed = {*loops, ("_nightly_workflow.py", "now"), ("_nightly_telling.py", "now")}  # workflow.now
    assert len(modules) >= 8
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                assert "datetime" not in {alias.name for alias in node.names}, module
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert node.module != "time", module
                assert node.module != "datetime" or names == {"timedelta"}, module
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
                assert node.attr == "monotonic", (module, node.lineno)  # nor does it tell what time it is
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks:
                assert (module.name, node.func.attr) in allowed, (module, node.lineno)
