"""One look at PostgreSQL: a single statement over views that everybody may read.

Of sessions of other roles the server shows state and age only to members of ``pg_read_all_stats``. For others the
age is counted from when :class:`Sightings` first met the snapshot.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._health import Health, Holder

_LOOK: Final = text("""
WITH here AS MATERIALIZED (
    SELECT a.pid, a.application_name, a.state, a.xact_start, a.backend_xmin, a.backend_xid, a.backend_type
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid <> pg_catalog.pg_backend_pid()
        AND (a.datid IS NULL OR a.datid = (SELECT d.oid FROM pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database()))
), vacuums AS MATERIALIZED (
    SELECT v.pid FROM pg_catalog.pg_stat_progress_vacuum v
), held AS (
    SELECT 'session' AS kind, h.application_name AS name, h.pid, h.state,
        extract(epoch FROM pg_catalog.clock_timestamp() - h.xact_start)::float8 AS age_s,
        greatest(age(h.backend_xmin), age(h.backend_xid)) AS transactions,
        concat_ws('/', h.pid, h.backend_xmin, h.backend_xid) AS identity
    FROM here h
    WHERE (h.backend_xmin IS NOT NULL OR h.backend_xid IS NOT NULL)
        AND h.backend_type IS DISTINCT FROM 'autovacuum worker' AND h.pid NOT IN (SELECT pid FROM vacuums)
    UNION ALL
    SELECT 'prepared transaction', p.gid, NULL, '',
        extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8,
        age(p.transaction), p.gid
    FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database()
    UNION ALL
    SELECT 'replication slot', s.slot_name, NULL, '', NULL, age(s.xmin), s.slot_name || '/' || s.xmin::text
    FROM pg_catalog.pg_replication_slots s WHERE s.xmin IS NOT NULL
), oldest AS (
    SELECT * FROM held ORDER BY transactions DESC NULLS LAST, pid LIMIT 1
), locks AS (
    SELECT count(DISTINCT l.pid) FILTER (WHERE NOT l.granted) AS waits,
        bool_or(l.granted AND l.relation = pg_catalog.to_regclass(:name)
            AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid IN (SELECT pid FROM vacuums)) AS vacuumed
    FROM pg_catalog.pg_locks l WHERE l.pid IN (SELECT pid FROM here)
), slots AS (
    SELECT s.slot_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)::bigint AS bytes
    FROM pg_catalog.pg_replication_slots s WHERE s.restart_lsn IS NOT NULL ORDER BY 2 DESC LIMIT 1
)
SELECT coalesce(pg_catalog.pg_stat_get_live_tuples(pg_catalog.to_regclass(:name)), 0) AS live_rows,
    coalesce(pg_catalog.pg_stat_get_dead_tuples(pg_catalog.to_regclass(:name)), 0) AS dead_rows,
    coalesce(locks.vacuumed, false) AS vacuumed, locks.waits,
    (SELECT extract(epoch FROM max(r.replay_lag))::float8 FROM pg_catalog.pg_stat_replication r) AS lag_s,
    (SELECT d.xact_commit + d.xact_rollback FROM pg_catalog.pg_stat_database d
        WHERE d.datname = pg_catalog.current_database()) AS transactions_ended,
    coalesce(slots.slot_name, '') AS slot, coalesce(slots.bytes, 0) AS slot_bytes, oldest.*
FROM locks LEFT JOIN slots ON true LEFT JOIN oldest ON true
""")


class Sightings:
    """What earlier looks met: snapshots whose age the server does not tell, and its count of transactions.

    Lives as long as the worker.

    Args:
        now: A monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._identity = ""
        self._since = 0.0
        self._ended: tuple[float, int] | None = None

    def rate(self, ended: int) -> float | None:
        """Return how many transactions a second have ended since the last look; None at the first.

        Args:
            ended: The server's count; it begins anew where statistics are reset.
        """
        before, self._ended = self._ended, (self._now(), ended)
        if before is None:
            return None
        seconds, transactions = self._ended[0] - before[0], ended - before[1]
        return transactions / seconds if seconds > 0 and transactions >= 0 else None

    def aged(self, holder: Holder) -> Holder:
        """Return the holder with an age: the server's, or how long it has been met here without a change."""
        if holder.age_s is not None:
            return holder
        now = self._now()
        if holder.identity != self._identity:
            self._identity, self._since = holder.identity, now
        return replace(holder, age_s=now - self._since)


async def look(connection: AsyncConnection, table: Table, sightings: Sightings) -> Health:
    """Ask PostgreSQL once; needs no privilege and reads no row of the TMS.

    Args:
        connection: In any state that takes a query.
        table: What the job changes.
        sightings: Of earlier looks.
    """
    name = connection.dialect.identifier_preparer.format_table(table)
    row = (await connection.execute(_LOOK, {"name": name})).one()
    return Health(
        live_rows=row.live_rows,
        dead_rows=row.dead_rows,
        vacuumed=row.vacuumed,
        lock_waits=row.waits,
        holder=None if row.kind is None else sightings.aged(_holder(row)),
        lag_s=row.lag_s,
        slot=row.slot,
        slot_bytes=row.slot_bytes,
        transactions_per_s=sightings.rate(row.transactions_ended),
    )


def _holder(row: Row[Any]) -> Holder:
    return Holder(
        kind=row.kind,
        name=row.name or "",
        pid=row.pid,
        state=row.state or "",
        age_s=row.age_s,
        transactions=row.transactions or 0,
        identity=row.identity or "",
    )
