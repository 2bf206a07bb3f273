"""A log of millions of entries written by SQL alone, and what must be left of it, told by SQL alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from trenova_activities.database import Database, DatabaseOptions, verify_manifest

AGE_INDEX = "CREATE INDEX trenova_audit_age ON audit_entries (organization_id, business_unit_id, timestamp, id)"
KINDS = 10
"""Organizations by their number's last digit: 0 has no period, 1 a legal hold on one shipment, 2 one on a month,
3 some entries in milliseconds and from before 1970; all others are plain."""

# Periods of 30 to 150 days. Each organization has entries in a second business unit, which has no period.
_TENANTS = """
    DELETE FROM audit_entries;
    DELETE FROM data_retention;
    INSERT INTO business_units (id, name, code)
        SELECT 'bu_' || n || u, 'Unit ' || n, 'U' || n || u FROM generate_series(1, $1) n, unnest(ARRAY['a', 'b']) u;
    INSERT INTO organizations (id, business_unit_id, name, scac_code)
        SELECT 'org_' || n, 'bu_' || n || 'a', 'Carrier ' || n, 'TEST' FROM generate_series(1, $1) n;
    INSERT INTO data_retention (id, business_unit_id, organization_id, audit_retention_period)
        SELECT 'dr_' || lpad(n::text, 5, '0'), 'bu_' || n || 'a', 'org_' || n, 30 + 30 * (n % 5)
        FROM generate_series(1, $1) n WHERE n % 10 <> 0;
    INSERT INTO trenova_jobs.legal_holds (id, organization_id, business_unit_id, resource, resource_id, from_at,
            until_at, reason, created_at)
        SELECT 'hold_' || n, 'org_' || n, 'bu_' || n || 'a',
            CASE n % 10 WHEN 1 THEN 'shipment' END, CASE n % 10 WHEN 1 THEN 'shp_7' END,
            CASE n % 10 WHEN 1 THEN 0 ELSE unix_now() - 240 * 86400 END,
            CASE n % 10 WHEN 2 THEN unix_now() - 210 * 86400 END, 'lawsuit', 1
        FROM generate_series(1, $1) n WHERE n % 10 IN (1, 2)"""
# Of an organization's turns, four of five are outlived by an hour or more, one is younger than any cut-off by two hours
# or more; one of forty belongs to the other business unit. The order is that of age, as in a log that grows.
_ENTRIES = """
    INSERT INTO audit_entries (id, business_unit_id, organization_id, principal_type, principal_id, resource,
        resource_id, operation, timestamp, current_state, category)
    SELECT 'ae_' || upper(lpad(to_hex(n), 26, '0')), 'bu_' || org || CASE turn % 40 WHEN 0 THEN 'b' ELSE 'a' END,
        'org_' || org, 'system', 'system', 'shipment', 'shp_' || turn % 50, 'update',
        CASE WHEN org % 10 = 3 AND turn % 100 = 1 THEN 1600000000000 + n
            WHEN org % 10 = 3 AND turn % 100 = 2 THEN -n
            WHEN turn % 5 = 4 THEN unix_now() - (30 + 30 * (org % 5)) * 86400 + 7200 + n % 1000000
            ELSE unix_now() - (30 + 30 * (org % 5)) * 86400 - 3600 - ($2::bigint - n) * 20000000 / $2::bigint END,
        jsonb_build_object('id', n, 'note', md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text)), 'shipment'
    FROM (SELECT n, (1 + n % $1)::int AS org, (n / $1)::int AS turn FROM generate_series(1, $2) n) numbered"""
# The rule, written once more and without the job's code: what goes, and each tenant's order of it.
_ELIGIBLE = """
    CREATE TABLE drill_eligible AS
    SELECT e.organization_id, e.business_unit_id, e.timestamp AS at, e.id::text AS id,
        row_number() OVER (PARTITION BY e.organization_id, e.business_unit_id ORDER BY e.timestamp, e.id) AS place
    FROM audit_entries e JOIN data_retention r USING (organization_id, business_unit_id)
    WHERE e.timestamp >= 0 AND e.timestamp < unix_now() - r.audit_retention_period * 86400
        AND NOT EXISTS (SELECT FROM trenova_jobs.legal_holds h WHERE h.organization_id = e.organization_id
            AND h.business_unit_id = e.business_unit_id AND (h.resource_id IS NULL OR h.resource_id = e.resource_id)
            AND e.timestamp >= h.from_at AND (h.until_at IS NULL OR e.timestamp <= h.until_at))"""
_LEFT = """
    SELECT organization_id || ' ' || business_unit_id AS tenant, count(*) || ' ' || md5(string_agg(md5(e::text), ''
        ORDER BY id)) AS digest
    FROM audit_entries e WHERE NOT EXISTS (SELECT FROM drill_eligible d WHERE d.organization_id = e.organization_id
        AND d.business_unit_id = e.business_unit_id AND d.id = e.id) GROUP BY 1"""
# Batch by batch, in the manifest's numbers: the next so many entries of the tenant, all of them and no others.
_MANIFEST = """
    WITH spans AS (
        SELECT *, sum(rows) OVER by_number - rows AS before, row_number() OVER by_number AS expected
        FROM trenova_jobs.job_run_batches
        WINDOW by_number AS (PARTITION BY job_type, run_id, organization_id, business_unit_id ORDER BY number))
    SELECT count(*) AS batches, coalesce(sum(s.rows), 0)::bigint AS rows,
        count(*) FILTER (WHERE s.number <> s.expected) AS misnumbered,
        count(*) FILTER (WHERE g.rows IS DISTINCT FROM s.rows OR g.first_id <> s.first_id OR g.last_id <> s.last_id
            OR g.first_at <> s.first_at OR g.last_at <> s.last_at OR g.digest <> s.digest) AS wrong
    FROM spans s CROSS JOIN LATERAL (
        SELECT count(*) AS rows, min(at) AS first_at, max(at) AS last_at,
            (array_agg(id ORDER BY place))[1] AS first_id, (array_agg(id ORDER BY place DESC))[1] AS last_id,
            encode(sha256(convert_to(string_agg(id || chr(10), '' ORDER BY id COLLATE "C"), 'UTF8')), 'hex') AS digest
        FROM drill_eligible d WHERE d.organization_id = s.organization_id
            AND d.business_unit_id = s.business_unit_id AND d.place > s.before AND d.place <= s.before + s.rows) g"""
_TENANTS_AGREE = """
    SELECT count(*)
    FROM (SELECT organization_id, business_unit_id, count(*) AS rows FROM drill_eligible GROUP BY 1, 2) e
    FULL JOIN (SELECT organization_id, business_unit_id, counted AS rows FROM trenova_jobs.job_run_tenants
        WHERE state = 'done' AND counted > 0) t USING (organization_id, business_unit_id)
    WHERE e.rows IS DISTINCT FROM t.rows"""


@dataclass(frozen=True)
class Expected:
    """What a purge must do.

    Attributes:
        eligible: How many entries go.
        left: By tenant: how many entries stay, and a digest of all their columns.
    """

    eligible: int
    left: dict[str, str]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def fill(url: str, *, rows: int, organizations: int) -> Expected:
    """Write the log into a current TMS; ordinary tables, as they must survive the server's death."""
    async with connected(url) as connection:
        await connection.execute("SET session_replication_role = replica")  # the rows are known to fit
        for statement in _TENANTS.split(";"):
            await connection.execute(statement.replace("$1", str(organizations)))
        found = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_entries' AND indexname !~ '_pkey$'"
        )
        for row in found:
            await connection.execute(f"DROP INDEX {row['indexname']}")
        await connection.execute(_ENTRIES.replace("$1", str(organizations)).replace("$2", str(rows)))
        for index in (*(row["indexdef"] for row in found), AGE_INDEX):
            await connection.execute(index)
        await connection.execute("VACUUM (ANALYZE) audit_entries")
        await connection.execute(_ELIGIBLE)
        await connection.execute(
            "ALTER TABLE drill_eligible ADD PRIMARY KEY (organization_id, business_unit_id, place)"
        )
        await connection.execute("CREATE INDEX ON drill_eligible (organization_id, business_unit_id, id)")
        await connection.execute("VACUUM (ANALYZE) drill_eligible")
        eligible = await connection.fetchval("SELECT count(*) FROM drill_eligible")
        return Expected(eligible, await _left(connection))


async def purged(url: str) -> int:
    """Return how many entries the manifest says are gone."""
    async with connected(url) as connection:
        return int(await connection.fetchval("SELECT coalesce(sum(rows), 0) FROM trenova_jobs.job_run_batches"))


async def log_agrees(url: str, expected: Expected) -> None:
    """Exactly the eligible entries are gone, and all others are as they were."""
    async with connected(url) as connection:
        remaining = await connection.fetchval(
            "SELECT count(*) FROM audit_entries e JOIN drill_eligible USING (organization_id, business_unit_id, id)"
        )
        assert remaining == 0
        assert await _left(connection) == expected.left


async def manifest_agrees(url: str, expected: Expected, run_id: str, seal: str) -> None:
    """The manifest is of one run; its batches are numbered without a gap, touch without overlap, and sum up.

    Its chain is whole, every batch is in it, and its seal is the one that the workflow's result names.
    """
    async with connected(url) as connection:
        runs = await connection.fetch("SELECT run_id, state FROM trenova_jobs.job_runs")
        assert [tuple(row) for row in runs] == [(run_id, "done")]
        found: Any = await connection.fetchrow(_MANIFEST)
        assert (found["rows"], found["misnumbered"], found["wrong"]) == (expected.eligible, 0, 0)
        assert await connection.fetchval(_TENANTS_AGREE) == 0
    async with Database.open(DatabaseOptions(url=url)) as database:
        manifest = await verify_manifest(database, run_id, seal=seal)
    assert manifest.problem == ""
    assert [tenant.problem for tenant in manifest.tenants if tenant.problem] == []
    assert manifest.seal == seal
    assert sum(tenant.batches for tenant in manifest.tenants) == found["batches"]
    assert sum(tenant.unchained for tenant in manifest.tenants) == 0


async def _left(connection: asyncpg.Connection) -> dict[str, str]:
    return {row["tenant"]: row["digest"] for row in await connection.fetch(_LEFT)}
