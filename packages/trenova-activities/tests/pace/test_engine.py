"""The pace of real purges: steered, told, exported, and given way where others need the database."""

import asyncio
from itertools import pairwise

import pytest
from auditlog import DAY, AuditLog, opened
from calls import Worker, many
from sqlalchemy import text, update
from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment

from trenova_activities.database import BrakeOptions, PaceOptions, Tenant, _nightly_debt
from trenova_activities.database._nightly import Budget

pytestmark = pytest.mark.integration

FAST = PaceOptions(target_s=10)
"""Every batch is short, so each is larger than the one before."""


async def sizes(log: AuditLog, tenant: Tenant) -> list[int]:
    return [row.rows for row in await log.own("job_run_batches") if row.organization_id == tenant.organization_id]


def paced(log: AuditLog, pace: PaceOptions) -> None:
    log.database.options = log.database.options.model_copy(update={"pace": pace})


async def test_short_batches_grow_by_a_tenth_and_the_next_call_goes_on_from_there(log: AuditLog):
    paced(log, FAST)
    tenant = await many(log, 5_000)

    answers = await Worker(log, Budget(batches=2)).run()

    assert (await sizes(log, tenant))[:3] == [1000, 1100, 1210]
    assert [answer.batch_size for answer in answers][:2] == [1210, 1464]
    assert answers[-1].result.total_deleted == 5_000


async def test_long_batches_are_halved_and_never_below_a_hundred(log: AuditLog):
    paced(log, PaceOptions(target_s=1e-6))
    smallest = []
    for _ in range(5):  # a batch whose commit took longer than its rows keeps its size, as on a busy disk
        tenant = await many(log, 5_000)
        await Worker(log).run()

        each = await sizes(log, tenant)
        assert all(later in {sooner, max(100, sooner // 2)} for sooner, later in pairwise(each[:-1]))
        assert each[0] == 1000
        smallest.append(min(each[:-1]))
        if smallest[-1] <= 500:
            break
    assert 100 <= smallest[-1] <= 500


async def test_the_size_that_was_asked_for_is_the_most(log: AuditLog):
    paced(log, FAST)
    tenant = await many(log, 3_000)

    await Worker(log).run(batch_size=1050)

    assert await sizes(log, tenant) == [1000, 1050, 950]


async def test_progress_heartbeats_and_metrics_say_what_is_due_and_how_fast_it_goes(log: AuditLog):
    paced(log, FAST)
    tenants = [await many(log, 1_000), await many(log, 600, oldest_days=500)]
    oldest = [await log.time() - days * DAY for days in (400, 500)]
    worker = Worker(log, Budget(batches=1))

    first, *others, last = await worker.run(batch_size=500)

    assert (first.tenants_total, first.eligible, first.rows, first.batch_size) == (2, 500, 500, 500)
    assert first.oldest_at == pytest.approx(oldest[0] + 500, abs=120)
    assert first.rows_per_second > 0
    assert first.eta_seconds >= 1
    assert first.braked == ""
    met = [answer.oldest_at for answer in others if answer.organization == tenants[1].organization_id]
    assert met[0] == pytest.approx(oldest[1] + 500, abs=120)
    assert (last.eligible, last.oldest_at, last.eta_seconds, last.done) == (0, None, 0, True)
    told = [facts for facts in worker.facts if facts]
    assert {"eligible", "oldest_at", "rows_per_second", "eta_seconds", "braked", "batch_size"} <= told[-1].keys()
    assert told[-1]["tenants_total"] == 2
    found = worker.metrics()
    assert sum(found["rows", ""]) == 1_600
    assert len(found["batch_duration", ""]) == len(found["rows", ""])
    assert all(0 < seconds < 60 for seconds in found["batch_duration", ""])
    assert max(found["debt_rows", ""]) in {500, 1_000}
    assert max(found["debt_age_seconds", ""]) == pytest.approx(500 * DAY, rel=0.01)
    assert max(found["rows_per_second", ""]) > 0
    assert found["batch_size", ""][-1] == 500
    ends = {name: values[-1] for (name, _), values in found.items()}
    assert (ends["debt_rows"], ends["debt_age_seconds"], ends["eta_seconds"], ends["rows_per_second"]) == (0, 0, 0, 0)
    assert (ends["behind"], ends["braked"]) == (0, 0)


async def test_more_rows_than_are_counted_are_extended_by_their_times_and_counted_again(log: AuditLog, monkeypatch):
    monkeypatch.setattr(_nightly_debt, "MOST_COUNTED", 100)
    monkeypatch.setattr("trenova_activities.database._nightly_batches.MOST_COUNTED", 100)
    now = await log.time()
    [tenant] = await log.organization(30)
    await log.entries(tenant, range(now - 130 * DAY, now - 30 * DAY, DAY // 4))  # four a day for a hundred days

    worker = Worker(log, Budget(batches=1))
    first = await worker.call(batch_size=50)
    assert first.eligible == pytest.approx(350, rel=0.05)
    async with log.database.write() as connection:
        table = log.database.jobs.job_run_tenants
        await connection.execute(update(table).values(due_rows=100))  # as if it had been estimated too low
    second = await worker.call(batch_size=50)
    assert second.eligible == pytest.approx(300, rel=0.05)
    assert (await worker.run(batch_size=50))[-1].result.total_deleted == 400


async def test_a_run_that_lasts_beyond_the_next_night_is_told_once_and_exported(log: AuditLog, caplog):
    await many(log, 1_000)
    worker = Worker(log, Budget(batches=1))
    await worker.call(batch_size=10)
    async with log.database.write() as connection:
        table = log.database.jobs.job_run_tenants
        await connection.execute(update(table).values(due_rows=10**12))

    behind = [await worker.call(batch_size=10) for _ in range(2)]

    assert min(answer.eta_seconds for answer in behind) > DAY
    assert [record.message for record in caplog.records] == ["a nightly run will not be done before the next night"]
    told = [round(value) for value in worker.metrics()["behind", ""]]
    assert told == [0, 0, 1, 0, 1, 0], "from the first look of a call on, and no longer than the call"


async def test_three_runs_that_each_leave_more_behind_are_told(log: AuditLog, caplog):
    await many(log, 10)
    worker = Worker(log)
    for number, left in enumerate((5, 7, 9)):
        await worker.call(run_id=f"{number}")
        async with log.database.write() as connection:
            runs = log.database.jobs.job_runs
            row = {"debt_rows": left, "created_at": 1000 + number}
            await connection.execute(update(runs).where(runs.c.run_id == f"{number}").values(row))
    assert caplog.records == []

    await worker.call(run_id="3")  # leaves nothing, so that it ends the trend
    await worker.call(run_id="4")
    [record] = caplog.records
    assert (record.message, record.left) == ("the last runs of a nightly job left ever more rows behind", [5, 7, 9])
    assert worker.metrics()["growing_runs", ""] == [1]


@pytest.fixture
async def busy_log(embedded_postgres_url):
    """A log on PostgreSQL, the only database that others can be in the way of."""
    async with opened(embedded_postgres_url) as log:
        yield log


async def test_a_session_that_keeps_an_old_snapshot_is_named_slows_the_run_and_does_not_end_it(
    busy_log, caplog, monkeypatch
):
    caplog.set_level("INFO")
    monkeypatch.setattr("trenova_activities.database._nightly_progress._LOOK_EVERY_S", 0)
    paced(busy_log, PaceOptions(brake=BrakeOptions(old_snapshot_s=0.2, look_every_s=0.1)))
    tenant = await many(busy_log, 1_000)
    worker = Worker(busy_log, Budget(batches=1))
    async with busy_log.database.engine.connect() as other:
        await other.execute(text("SET application_name = 'forgotten report'"))
        await other.commit()
        await other.execution_options(isolation_level="REPEATABLE READ")
        await other.execute(text("SELECT count(*) FROM audit_entries"))
        pid = (await other.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await asyncio.sleep(0.3)

        answers = await worker.run(batch_size=400)
        await other.rollback()

    assert answers[-1].braked.startswith(
        f"the session with pid {pid} (forgotten report, idle in transaction) has kept an old snapshot for "
    )
    assert "count(*)" not in str(answers)
    assert (await busy_log.counts())[tenant.organization_id, tenant.business_unit_id] == 0
    found = worker.metrics()
    assert 1 in found["braked", "old_snapshot"]
    assert {
        value
        for (name, reason), values in found.items()
        if name == "braked" and reason != "old_snapshot"
        for value in values
    } == {0}
    messages = [record.message for record in caplog.records if record.name.endswith("_brake")]
    assert messages == ["a nightly run is slowed down", "a nightly run is at full speed again"]


async def test_a_lock_held_by_a_dispatcher_halves_the_batch_and_the_other_tenants_go_first(busy_log):
    paced(busy_log, PaceOptions(lock_timeout_s=0.05))
    locked, free = await many(busy_log, 1_000), await many(busy_log, 1_000)
    worker = Worker(busy_log, Budget(seconds=1))
    async with busy_log.database.engine.connect() as dispatcher:
        mine = f"id = 'ae_{locked.organization_id}_1'"
        await dispatcher.execute(text(f"SELECT FROM audit_entries WHERE {mine} FOR UPDATE"))

        answer = await worker.call()
        while (await busy_log.counts())[free.organization_id, free.business_unit_id]:
            answer = await worker.call()
        assert answer.braked == "rows of the next batch are locked by others" or answer.eligible == 1_000
        assert not answer.done
        assert await sizes(busy_log, locked) == []
        await dispatcher.rollback()

    done = (await worker.run())[-1]
    assert (done.result.total_deleted, done.result.partial_failures) == (2_000, [])
    assert min(facts["batch_size"] for facts in worker.facts if facts) == 100
    assert sum(worker.metrics()["batches_refused", ""]) >= 4


@pytest.mark.slow
async def test_a_tenant_whose_rows_stay_locked_beyond_all_patience_fails_alone(busy_log):
    paced(busy_log, PaceOptions(lock_timeout_s=0.02, lock_patience_s=0))
    locked, free = await many(busy_log, 100), await many(busy_log, 100)
    worker = Worker(busy_log, Budget(seconds=1))
    async with busy_log.database.engine.connect() as dispatcher:
        mine = f"id = 'ae_{locked.organization_id}_1'"
        await dispatcher.execute(text(f"SELECT FROM audit_entries WHERE {mine} FOR UPDATE"))
        done = (await worker.run())[-1]
        await dispatcher.rollback()

    assert [one.organization_id for one in done.result.partial_failures] == [locked.organization_id]
    assert (done.eligible, (await busy_log.counts())[free.organization_id, free.business_unit_id]) == (100, 0)


async def test_a_statement_that_runs_too_long_halves_the_batch_until_it_fits(busy_log):
    """Each deleted row takes half a millisecond: a thousand take too long, and a few hundred do not."""
    paced(busy_log, PaceOptions(statement_timeout_s=0.3, target_s=1))
    await busy_log.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; "
        "END $$",
        "CREATE TRIGGER slow BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    tenant = await many(busy_log, 1_000)
    worker = Worker(busy_log)

    done = (await worker.run())[-1]

    assert (done.result.total_deleted, done.result.partial_failures) == (1_000, [])
    assert max(await sizes(busy_log, tenant)) <= 500
    assert sum(worker.metrics()["batches_refused", ""]) >= 1


async def test_where_even_the_smallest_batch_takes_too_long_it_gets_more_time(busy_log):
    paced(busy_log, PaceOptions(statement_timeout_s=0.1, first_batch=100, target_s=1))
    await busy_log.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN OLD; "
        "END $$",
        "CREATE TRIGGER slow BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    tenant = await many(busy_log, 200)

    done = (await Worker(busy_log).run())[-1]

    assert (done.result.total_deleted, await sizes(busy_log, tenant)) == (200, [100, 100])


async def test_a_run_that_is_braked_answers_at_once_when_it_is_asked_to_stop(busy_log):
    """Its first batch takes a tenth of a second for each row and its pause nineteen times as long as the batch."""
    braking = BrakeOptions(old_snapshot_s=0.01, look_every_s=0.1, slow_share=0.05)
    paced(busy_log, PaceOptions(target_s=10, brake=braking, statement_timeout_s=120))
    await busy_log.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN OLD; END $$",
        "CREATE TRIGGER slow BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    tenant = await many(busy_log, 200)
    worker = Worker(busy_log)
    async with busy_log.database.engine.connect() as other:
        await other.execution_options(isolation_level="REPEATABLE READ")
        await other.execute(text("SELECT count(*) FROM audit_entries"))
        environment = ActivityEnvironment()
        call = asyncio.create_task(worker.call(environment=environment, batch_size=50))
        async with asyncio.timeout(60):
            while not await sizes(busy_log, tenant):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.1)
        environment.cancel(ActivityCancellationDetails(cancel_requested=True))
        answer = await asyncio.wait_for(call, 60)
        await other.rollback()

    assert (answer.done, answer.rows) == (False, 50)
    assert answer.braked
    assert await sizes(busy_log, tenant) == [50]
