"""The only way to delete from an append-only log on PostgreSQL: a function that decides for itself.

It runs as its owner, the role ``trenova_retention``, with a search path of its own. Whoever may call it says
for which tenant, from where on and how many; the period and the legal holds it reads itself, and the cut-off
that it is given can only spare more. Callers of one tenant take turns.
"""

from typing import Final

FUNCTION: Final = "trenova_jobs.purge_audit_entries"
SIGNATURE: Final = f"{FUNCTION}(text, text, bigint, text, integer, bigint)"

_BODY: Final = """
DECLARE
    v_now bigint := floor(extract(epoch FROM clock_timestamp()));
    v_rows bigint;
    v_given bigint;
    v_least numeric;
    v_most numeric;
    v_before numeric;
    v_ids text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('trenova-retention/' || p_organization || '/' || p_unit, 0));
    SELECT count(*), count(r.audit_retention_period), min(r.audit_retention_period), max(r.audit_retention_period)
        INTO v_rows, v_given, v_least, v_most
        FROM {periods} r WHERE r.organization_id = p_organization AND r.business_unit_id = p_unit;
    IF v_rows = 0 OR v_given < v_rows OR v_least < 1 OR v_most <> trunc(v_most) THEN
        RETURN;
    END IF;
    v_before := least(p_before, v_now - v_most * 86400, v_now - 86400);
    IF v_before <= 0 THEN
        RETURN;
    END IF;
    SELECT array_agg(c.id) INTO v_ids FROM (
        SELECT e.id FROM {log} e
        WHERE e.organization_id = p_organization AND e.business_unit_id = p_unit
            AND e.timestamp >= greatest(p_after_at, 0) AND e.timestamp < v_before::bigint
            AND (e.timestamp, e.id) > (p_after_at, p_after_id)
            AND NOT EXISTS (
                SELECT FROM trenova_jobs.legal_holds h
                WHERE h.organization_id = p_organization AND h.business_unit_id = p_unit AND h.released_at IS NULL
                    AND (h.resource IS NULL OR h.resource = e.resource)
                    AND (h.resource_id IS NULL OR h.resource_id = e.resource_id)
                    AND h.from_at <= e.timestamp AND (h.until_at IS NULL OR h.until_at >= e.timestamp))
        ORDER BY e.timestamp, e.id LIMIT least(greatest(p_limit, 0), 10000)) c;
    RETURN QUERY
    WITH gone AS (
        DELETE FROM {log} d
        WHERE d.id = ANY (v_ids) AND d.organization_id = p_organization AND d.business_unit_id = p_unit
            AND d.timestamp >= 0 AND d.timestamp < v_before::bigint
        RETURNING d.id, d.timestamp AS at
    )
    SELECT g.id::text, g.at FROM gone g ORDER BY g.at, g.id;
END
"""


def body(log: str, periods: str) -> str:
    """Return the function's source for a log and a settings table, given by their qualified names."""
    return _BODY.format(log=log, periods=periods)


def create(log: str, periods: str) -> str:
    """Return the statement that creates the function or brings it up to date."""
    return (
        f"CREATE OR REPLACE FUNCTION {FUNCTION}("
        "p_organization text, p_unit text, p_after_at bigint, p_after_id text, p_limit integer, p_before bigint)\n"
        "RETURNS TABLE (entry_id text, entry_at bigint) LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER\n"
        f"SET search_path = pg_catalog, pg_temp AS $purge${body(log, periods)}$purge$"
    )
