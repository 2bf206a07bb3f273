"""The rule of audit retention: entries older than the period that their own organization asked for go."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, Table, and_, delete, exists, func, or_, select, text, true, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._names import DELETE_AUDIT_ENTRIES_JOB
from trenova_activities.database._append_only import LOG, PERMITS
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._failures import sqlstate
from trenova_activities.database._nightly_job import (
    DAY_S,
    MOST_SECONDS,
    Batch,
    Cutoff,
    Position,
    RunFacts,
    Skip,
    ids_digest,
)
from trenova_activities.database._retention_function import FUNCTION
from trenova_activities.database._retention_way import Way, find_way
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConfigurationError

Place = tuple[int, str]
"""A :class:`Position` as it is read; thousands of them make a batch, and objects would take a tenth of its time."""

MOST_DAYS: Final = 36_500
"""A century. A longer period is a slip of the keyboard, and nothing is that old."""

_MOST_ROWS: Final = 10_000  # per batch; the function of allow_retention takes no more
_RAISED: Final = frozenset({"P0001"})  # PL/pgSQL's RAISE without a code of its own
_SQLITE_RAISED: Final = "SQLITE_CONSTRAINT_TRIGGER"
# The server itself sums up what went, by the definition of ids_digest: thousands of ids need not come here.
_PURGE = text(
    "WITH gone AS MATERIALIZED (SELECT entry_id, entry_at, number FROM "  # noqa: S608 - our own name
    f"{FUNCTION}(:organization_id, :business_unit_id, CAST(:after_at AS bigint), :after_id, "
    "CAST(:limit AS integer), CAST(:before AS bigint)) WITH ORDINALITY AS g (entry_id, entry_at, number)), "
    "ends AS (SELECT count(*) AS entries, encode(sha256(convert_to(coalesce("
    "string_agg(entry_id || chr(10), '' ORDER BY entry_id COLLATE \"C\"), ''), 'UTF8')), 'hex') AS digest FROM gone) "
    "SELECT e.entries, e.digest, f.entry_at AS first_at, f.entry_id AS first_id, l.entry_at AS last_at, "
    "l.entry_id AS last_id FROM ends e LEFT JOIN gone f ON f.number = 1 LEFT JOIN gone l ON l.number = e.entries"
)
_TURNS = text(
    "SELECT pg_advisory_xact_lock(hashtextextended("
    "'trenova-retention/' || CAST(:organization_id AS text) || '/' || CAST(:business_unit_id AS text), 0))"
)
_PERMIT = text(
    f"INSERT INTO {PERMITS} (organization_id, business_unit_id, cutoff) "  # noqa: S608 - our own name
    "VALUES (:organization_id, :business_unit_id, :before)"
)
_UNPERMIT = text(f"DELETE FROM {PERMITS}")  # noqa: S608 - our own name


class AuditRetention:
    """What the engine of the nightly jobs asks of audit retention.

    An entry goes if its time is before the cut-off and no legal hold covers it. Entries with an impossible time
    (negative, or in milliseconds) stay; they are counted as odd.

    Args:
        database: The TMS's database.
        catalog: Its ``audit_entries`` and ``data_retention``.
    """

    job_type = DELETE_AUDIT_ENTRIES_JOB
    unwanted = "has no retention period"

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._log = catalog[LOG]
        self._holds = database.jobs.legal_holds
        self._way = Way.PLAIN
        self.settings_table: Table = catalog["data_retention"]
        self.changed_table: Table = self._log

    async def begin(self, connection: AsyncConnection) -> None:
        """Find the way through the log as it is now; a dry run, too, needs one, or it would promise what cannot be.

        Raises:
            ConfigurationError: The log is append-only and nobody has let this job through.
        """
        self._way = await find_way(self._database, connection)

    def wanted(self) -> ColumnElement[bool]:
        """Every organization with a row wants it; whether its period makes sense is the rule's question."""
        return true()

    def rule(self, row: Row[Any], as_of: int) -> Skip | Cutoff:
        """Compute the cut-off of an organization, or say why its period is none."""
        found = row.audit_retention_period
        setting = None if found is None else str(found)
        days = _whole(found)
        if days is None:
            return Skip(f"audit_retention_period is {setting or 'NULL'}; it must be a number of days", setting)
        if not 1 <= days <= MOST_DAYS:
            return Skip(f"audit_retention_period is {days}; it must be between 1 and {MOST_DAYS} days", setting)
        return Cutoff(as_of - days * DAY_S, str(days))

    def meant(self, tenant: Tenant, cutoff: int) -> tuple[ColumnElement[int], Sequence[ColumnElement[bool]]]:
        """Return the time of an entry, and what makes it one that goes."""
        return self._log.c.timestamp, self._meant(tenant, cutoff)

    async def eligible(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:
        """Count what would be deleted."""
        query = select(func.count()).select_from(self._log).where(*self._meant(tenant, cutoff))
        return int((await connection.execute(query)).scalar_one())

    def due(self, tenant: Tenant, cutoff: int) -> Select[tuple[int]]:
        """Return the query for the times of what would be deleted, oldest first."""
        log = self._log
        return select(log.c.timestamp).where(*self._meant(tenant, cutoff)).order_by(log.c.timestamp, log.c.id)

    async def samples(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> list[str]:  # noqa: ARG002
        """Name nothing: nobody knows an audit entry by its id."""
        return []

    async def odd(self, connection: AsyncConnection, tenant: Tenant) -> int:
        """Count the entries whose time cannot be true."""
        at = self._log.c.timestamp
        impossible = or_(at.is_(None), at < 0, at > MOST_SECONDS)
        query = select(func.count()).select_from(self._log).where(tenant.owns(self._log), impossible)
        return int((await connection.execute(query)).scalar_one())

    async def held(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:
        """Count what legal holds keep of the entries that are old enough; without a hold the log is not looked at."""
        holds = self._holds
        query = select(holds.c.id).where(tenant.owns(holds), holds.c.released_at.is_(None)).limit(1)
        if (await connection.execute(query)).first() is None:
            return 0
        meant = (*self._outlived(tenant, cutoff), self._is_held(tenant))
        return int((await connection.execute(select(func.count()).select_from(self._log).where(*meant))).scalar_one())

    async def batch(
        self,
        connection: AsyncConnection,
        tenant: Tenant,
        cutoff: int,
        *,
        after: Position | None,
        limit: int,
        run: RunFacts,  # noqa: ARG002 - nothing is written about entries that go
        at: int,
    ) -> Batch:
        """Delete the oldest entries after a position; a period that has become longer since is obeyed at once.

        Raises:
            ConfigurationError: A trigger refused after all.
        """
        limit = min(limit, _MOST_ROWS)
        try:
            if self._way is Way.FUNCTION:
                return await self._through_function(connection, tenant, cutoff, after, limit)
            before = await self._strictest(connection, tenant, cutoff, at)
            looked_at = await self._oldest(connection, tenant, before, after, limit)
            gone = await self._delete(connection, tenant, before, looked_at)
        except DBAPIError as error:
            if _was_raised(error):
                raise ConfigurationError(
                    f"A trigger of {LOG} refused the deletion. 'trenova-activities db allow-retention' "
                    "lets this job through.",
                    sqlstate=sqlstate(error),
                ) from error
            raise
        return Batch(
            rows=len(gone),
            first=Position(*gone[0]) if gone else None,
            last=Position(*gone[-1]) if gone else None,
            digest=ids_digest([id_ for _, id_ in gone]),
            cursor=Position(*looked_at[-1]) if looked_at else None,
            exhausted=len(looked_at) < limit,
            seen=len(looked_at),
        )

    async def _through_function(
        self, connection: AsyncConnection, tenant: Tenant, cutoff: int, after: Position | None, limit: int
    ) -> Batch:
        start = after or Position(-1, "")
        arguments = {"after_at": start.at, "after_id": start.id, "limit": limit, "before": cutoff}
        gone = (await connection.execute(_PURGE, {**tenant.values, **arguments})).one()
        last = Position(gone.last_at, gone.last_id) if gone.entries else None
        return Batch(
            rows=gone.entries,
            first=Position(gone.first_at, gone.first_id) if gone.entries else None,
            last=last,
            digest=gone.digest,
            cursor=last,
            exhausted=gone.entries < limit,
            seen=gone.entries,
        )

    async def _strictest(self, connection: AsyncConnection, tenant: Tenant, cutoff: int, at: int) -> int:
        """Return the cut-off of the run or of the period as it is now, whichever spares more."""
        if connection.dialect.name == "postgresql":  # SQLite's transaction has the database to itself
            await connection.execute(_TURNS, tenant.values)
        periods = self.settings_table
        query = select(func.max(periods.c.audit_retention_period)).where(tenant.owns(periods))
        days = _whole((await connection.execute(query)).scalar_one())
        return cutoff if days is None else min(cutoff, at - days * DAY_S)

    async def _oldest(
        self, connection: AsyncConnection, tenant: Tenant, cutoff: int, after: Position | None, limit: int
    ) -> Sequence[Place]:
        log = self._log
        query = select(log.c.timestamp, log.c.id).where(*self._meant(tenant, cutoff))
        if after is not None:
            query = query.where(log.c.timestamp >= after.at, tuple_(log.c.timestamp, log.c.id) > (after.at, after.id))
        rows = await connection.execute(query.order_by(log.c.timestamp, log.c.id).limit(limit))
        return [(at, id_) for at, id_ in rows.all()]

    async def _delete(
        self, connection: AsyncConnection, tenant: Tenant, cutoff: int, chosen: Sequence[Place]
    ) -> Sequence[Place]:
        if not chosen:
            return []
        log = self._log
        if self._way is Way.PERMIT:
            await connection.execute(_PERMIT, {**tenant.values, "before": cutoff})
        named = log.c.id.in_([id_ for _, id_ in chosen])
        done = await connection.execute(delete(log).where(named, *self._meant(tenant, cutoff)).returning(log.c.id))
        gone = set(done.scalars())
        if self._way is Way.PERMIT:
            await connection.execute(_UNPERMIT)
        return [place for place in chosen if place[1] in gone]

    def _meant(self, tenant: Tenant, cutoff: int) -> list[ColumnElement[bool]]:
        """The tenant's entries from before the cut-off that no hold covers."""
        return [*self._outlived(tenant, cutoff), ~self._is_held(tenant)]

    def _outlived(self, tenant: Tenant, cutoff: int) -> list[ColumnElement[bool]]:
        log = self._log
        return [tenant.owns(log), log.c.timestamp >= 0, log.c.timestamp < cutoff]

    def _is_held(self, tenant: Tenant) -> ColumnElement[bool]:
        log, holds = self._log, self._holds
        return exists().where(
            tenant.owns(holds),
            holds.c.released_at.is_(None),
            or_(holds.c.resource.is_(None), holds.c.resource == log.c.resource),
            or_(holds.c.resource_id.is_(None), holds.c.resource_id == log.c.resource_id),
            and_(
                holds.c.from_at <= log.c.timestamp,
                or_(holds.c.until_at.is_(None), holds.c.until_at >= log.c.timestamp),
            ),
        )


def _whole(value: object) -> int | None:
    """Return a whole number as such; anything else is no period."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return None


def _was_raised(error: DBAPIError) -> bool:
    return sqlstate(error) in _RAISED or getattr(error.orig, "sqlite_errorname", None) == _SQLITE_RAISED
