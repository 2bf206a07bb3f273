"""Workers killed and databases restarted in the middle: exactly the outlived entries are gone, each once."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from auditlog import DAY, AuditLog, opened
from sqlalchemy import text

from trenova_activities import DeleteAuditEntriesPayload, start_purge
from trenova_activities.database import Database, DatabaseOptions, Tenant, allow_retention, migrate, verify_manifest
from trenova_activities.database._nightly_job import ids_digest
from trenova_activities.testing import PostgresServer, install_current_tms
from trenova_errors import UnavailableError

pytestmark = pytest.mark.integration

WORKER = Path(__file__).with_name("purge_worker.py")
PERIODS = (30, 90, 120, 180, 365)
_LOOK_S = 0.05


@dataclass
class Workers:
    """One worker process at a time, and how often it was killed."""

    arguments: tuple[str, ...]
    kills: int = 0
    process: subprocess.Popen[str] | None = field(default=None)

    def start(self) -> None:
        self.process = subprocess.Popen(  # the test's own interpreter
            [sys.executable, str(WORKER), *self.arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline().strip() == "working"

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.kills += 1
            self.process = None


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of its own, that keeps what it has said it has when it dies."""
    with PostgresServer(settings=["synchronous_commit=on"]) as server:
        yield server


@pytest.fixture
async def log(kind: str, server: PostgresServer, tmp_path: Path) -> AsyncIterator[AuditLog]:
    url = f"sqlite+aiosqlite:///{tmp_path}/tms.db"
    if kind != "sqlite":
        url = server.create_database()
        if kind == "current":
            install_current_tms(url)
    async with Database.open(DatabaseOptions(url=url)) as database:
        await migrate(database)
        await allow_retention(database)
    async with opened(url) as log:
        yield log


async def filled(log: AuditLog, rows: int) -> dict[tuple[str, str], int]:
    """Write entries of five organizations, four fifths of them outlived; return how many each must lose."""
    tenants: list[Tenant] = []
    for period in PERIODS:
        tenants += await log.organization(period, units=2)
    now = await log.time()
    share = rows // len(tenants)
    outlived = share * 4 // 5
    lose = {}
    for position, tenant in enumerate(tenants):
        days = PERIODS[position // 2]
        ages = [days * DAY + 60 + number % 5000 * 7 for number in range(outlived)]
        ages += [days * DAY - 3600 - number % 86_400 for number in range(share - outlived)]
        await log.entries(tenant, [now - age for age in ages])
        lose[tenant.organization_id, tenant.business_unit_id] = outlived if position % 2 == 0 else 0
    return lose


async def counted(log: AuditLog) -> int:
    query = text(f"SELECT coalesce(sum(counted), 0) FROM {log.database.jobs.job_run_tenants.fullname}")
    with contextlib.suppress(UnavailableError):
        async with log.database.read() as connection:
            return int((await connection.execute(query)).scalar_one())
    return -1


async def progress(log: AuditLog, beyond: int) -> int:
    while (now := await counted(log)) <= beyond:  # noqa: ASYNC110 - what is waited for is another process
        await asyncio.sleep(_LOOK_S)
    return now


async def survive(
    log: AuditLog, client, queue: str, server: PostgresServer, *, rows: int, batches: int, kills: int, restarts: int
) -> None:
    lose = await filled(log, rows)
    before = await log.rows()
    eligible = sum(lose.values())
    workers = Workers((client.service_client.config.target_host, queue, log.database.options.url))
    asked = sorted({organization for organization, _ in lose})
    payload = DeleteAuditEntriesPayload(organization_ids=asked, batch_size=max(1, eligible // batches))
    handle = await start_purge(client, payload, task_queue=queue)
    chance = random.Random(rows)
    restart_after = {(kills + 1) * (number + 1) // (restarts + 1) for number in range(restarts)}
    how = [signal.SIGQUIT, signal.SIGINT]
    try:
        for number in range(1, kills + 1):
            workers.start()
            done = await progress(log, max(0, await counted(log)))
            # Leave enough for the rest: each kill comes before its share of the work is done.
            await progress(log, min(done + chance.randrange(eligible // (3 * kills)), eligible * number // (kills + 1)))
            if number in restart_after:
                await asyncio.to_thread(server.halt, how=how.pop(0))
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)
                await progress(log, await counted(log))
            workers.kill()
        assert await counted(log) < eligible, "the purge was over before the last kill"
        workers.start()
        result = await asyncio.wait_for(handle.result(), 300)
    finally:
        workers.kill()

    after = await log.rows()
    lost: dict[tuple[str, str], set[str]] = {key: set() for key in lose}
    for id_ in before.keys() - after.keys():
        lost[before[id_].organization_id, before[id_].business_unit_id].add(id_)
    assert {key: len(ids) for key, ids in lost.items()} == lose
    cutoffs = {(row.organization_id, row.business_unit_id): row.cutoff for row in await log.own("job_run_tenants")}
    assert all(before[id_].timestamp < cutoffs[key] for key, ids in lost.items() for id_ in ids)
    assert result.total_deleted == eligible
    assert workers.kills == kills + 1
    await manifest_agrees(log, before, lost, handle.first_execution_run_id)
    chained = await verify_manifest(log.database, handle.id)
    assert (chained.fits, chained.rows) == (True, eligible), chained
    assert chained.seal is not None
    assert not any(tenant.unchained for tenant in chained.tenants)


async def manifest_agrees(log: AuditLog, before, lost, run_id: str) -> None:
    """Every batch of the manifest names, in its order, exactly the next of the entries that are gone."""
    [run] = await log.own("job_runs")
    assert (run.run_id, run.state) == (run_id, "done")
    gone = {key: iter(sorted(ids, key=lambda id_: (before[id_].timestamp, id_.encode()))) for key, ids in lost.items()}
    for batch in await log.own("job_run_batches"):
        ids = [next(gone[batch.organization_id, batch.business_unit_id]) for _ in range(batch.rows)]
        assert (batch.first_id, batch.last_id, batch.digest) == (ids[0], ids[-1], ids_digest(ids))
    assert [list(rest) for rest in gone.values()] == [[] for _ in gone]


@pytest.mark.timeout(300)
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["current", "sqlite"])
async def test_20_000_entries_two_kills_and_a_restart(log, client, queue, server, kind):
    await survive(log, client, queue, server, rows=20_000, batches=600, kills=2, restarts=int(kind != "sqlite"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["postgresql", "current", "sqlite"])
async def test_200_000_entries_twenty_kills_and_two_restarts(log, client, queue, server, kind):
    await survive(
        log, client, queue, server, rows=200_000, batches=2_000, kills=20, restarts=0 if kind == "sqlite" else 2
    )
