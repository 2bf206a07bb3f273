"""A database of revision 0004 with a run that was under way: nothing is lost, and the run goes on."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from auditlog import DAY, AuditLog, opened
from sqlalchemy import insert, text

from trenova_activities.database import (
    Database,
    DatabaseOptions,
    _migrate,
    allow_retention,
    migrate,
    release_hold,
    verify_manifest,
)
from trenova_activities.database._migrate import EMBEDDED, JOBS, head
from trenova_errors import ApplicationError

pytestmark = pytest.mark.integration

OLDER = "0004"
RUN = {"job_type": "delete_audit_entries", "run_id": "older"}
ASKED = {"batchSize": None, "dryRun": False, "organizationIds": []}
DIGEST = hashlib.sha256(json.dumps(ASKED, separators=(",", ":")).encode()).hexdigest()
GONE = ["ae_gone_1", "ae_gone_2"]
FILLED = ("job_runs", "job_run_tenants", "job_run_batches", "legal_holds")
ADDED = {
    "job_runs": "batch_size brake_reason braked debt_oldest_at debt_rows eta_seconds rows_per_second seal "
    "tenants_total",
    "job_run_tenants": "chain due_rows oldest_at",
    "job_run_batches": "chain",
    "legal_holds": "release_reason released_by",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/older.db"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
async def older(url: str) -> AsyncIterator[AuditLog]:
    """The embedded TMS with our tables as revision 0004 left them."""
    async with Database.open(DatabaseOptions(url=url)) as database, database.write() as connection:
        for tree, revision in ((EMBEDDED, head(EMBEDDED)), (JOBS, OLDER)):
            await _migrate._prepare_schema(database, connection, tree)
            await _migrate._tree(database, tree).upgrade(connection, revision)
    async with opened(url, allow=False) as log:
        yield log


async def begun(log: AuditLog) -> tuple[list[str], str]:
    """Write a purge of which the older version did one batch; return what is left to it, and what a hold keeps."""
    [tenant] = await log.organization(30)
    now = await log.time()
    left = await log.entries(tenant, [now - (40 - age) * DAY for age in range(5)])
    [held] = await log.entries(tenant, [now - 39 * DAY], resource_id="shp_2")
    await log.entries(tenant, [now - DAY])
    oldest = now - 50 * DAY
    stamps = {"created_at": now - 60, "updated_at": now - 50}
    run = {"workflow_id": "delete-audit-entries/older", "request": ASKED, "request_digest": DIGEST, "dry_run": False}
    cursor = dict(
        zip(("tenant_cursor_organization", "tenant_cursor_business_unit"), tenant.values.values(), strict=True)
    )
    span = {"first_at": oldest, "last_at": oldest + 1, "first_id": GONE[0], "last_id": GONE[1]}
    digest = hashlib.sha256("".join(f"{one}\n" for one in GONE).encode()).hexdigest()
    part = {"state": "running", "setting": "30", "cutoff": now - 30 * DAY, "counted": 2, "odd_rows": 0, "samples": []}
    part |= {"held_rows": 1, "cursor_at": oldest + 1, "cursor_id": GONE[1], "batches": 1}
    hold = {"id": "hold_older", "resource": "shipment", "resource_id": "shp_2", "from_at": 0, "reason": "lawsuit"}
    rows = {
        "job_runs": {**RUN, **run, **cursor, **stamps, "as_of": now, "state": "running"},
        "job_run_tenants": {**RUN, **tenant.values, **part, **stamps},
        "job_run_batches": {**RUN, **tenant.values, **span, "number": 1, "rows": 2, "digest": digest, "at": now - 50},
        "legal_holds": {**hold, **tenant.values, "created_by": "ana", "created_at": 1},
    }
    async with log.database.write() as connection:
        for name, row in rows.items():
            await connection.execute(insert(getattr(log.database.jobs, name)).values(row))
    return left, held


async def kept(log: AuditLog) -> dict[str, dict[str, Any]]:
    """Return the one row of each table, by column, whatever columns there are."""
    found = {}
    async with log.database.read() as connection:
        for name in FILLED:
            table = getattr(log.database.jobs, name).fullname
            [row] = (await connection.execute(text(f"SELECT * FROM {table}"))).mappings()
            found[name] = dict(row)
    return found


async def test_rows_of_before_are_kept_and_a_run_under_way_goes_on(older: AuditLog):
    left, held = await begun(older)
    before = await kept(older)

    done = await migrate(older.database)

    assert (done.changed, done.revisions[JOBS]) == (True, head(JOBS))
    after = await kept(older)
    for name in FILLED:
        new = {column: value for column, value in after[name].items() if column not in before[name]}
        assert {column: after[name][column] for column in before[name]} == before[name]
        assert new == dict.fromkeys(ADDED[name].split())
    await allow_retention(older.database)
    result = (await older.run(run_id="older")).result

    assert result.total_deleted == len(GONE) + len(left)
    assert result.partial_failures == []
    remaining = await older.rows()
    assert held in remaining
    assert not set(left) & set(remaining)
    manifest = await verify_manifest(older.database, "older", seal=result.data["manifest"])
    assert manifest.fits
    [part] = manifest.tenants
    assert (part.rows, part.unchained, part.chain is None) == (len(GONE) + len(left), 1, False)


async def test_a_hold_of_before_is_kept_by_the_database_and_can_be_released(older: AuditLog):
    await begun(older)
    await migrate(older.database)
    holds = older.database.jobs.legal_holds

    for forbidden in (f"DELETE FROM {holds.fullname}", f"UPDATE {holds.fullname} SET reason = 'none'"):
        with pytest.raises(ApplicationError):
            await older.execute(forbidden)
    await release_hold(older.database, "hold_older", reason="settled", released_by="bob")

    row = (await kept(older))["legal_holds"]
    assert (row["created_by"], row["reason"], row["released_by"], row["release_reason"]) == (
        "ana",
        "lawsuit",
        "bob",
        "settled",
    )
