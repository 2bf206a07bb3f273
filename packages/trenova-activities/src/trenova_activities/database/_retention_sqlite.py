"""The statements that open an append-only log on SQLite to retention alone, and those that close it again.

SQLite has no roles: whoever may write the file may do anything to it. The triggers keep everything but the
job from deleting by accident. They spare an old entry while a permit of its tenant lies in a table of ours, which
the job puts there and takes away in the transaction that deletes; period, holds and the clock they read themselves.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._append_only import (
    LOG,
    PERMITS,
    LogTrigger,
    passing_on_sqlite,
    refusing_triggers,
)
from trenova_errors import ConfigurationError

ORIGINALS: Final = "trenova_jobs_retention_triggers"

_OF_TENANT: Final = "{0}.organization_id = OLD.organization_id AND {0}.business_unit_id = OLD.business_unit_id"
_PERMITTED: Final = f"""EXISTS (
  SELECT 1 FROM {PERMITS} p WHERE {_OF_TENANT.format("p")} AND OLD.timestamp >= 0 AND OLD.timestamp < p.cutoff
  AND EXISTS (SELECT 1 FROM data_retention r WHERE {_OF_TENANT.format("r")} GROUP BY r.organization_id
    HAVING count(r.audit_retention_period) = count(*) AND min(r.audit_retention_period) >= 1
    AND typeof(max(r.audit_retention_period)) = 'integer'
    AND OLD.timestamp < CAST(strftime('%s', 'now') AS INTEGER) - 86400 * max(r.audit_retention_period))
  AND NOT EXISTS (SELECT 1 FROM trenova_jobs_legal_holds h WHERE {_OF_TENANT.format("h")} AND h.released_at IS NULL
    AND (h.resource IS NULL OR h.resource = OLD.resource)
    AND (h.resource_id IS NULL OR h.resource_id = OLD.resource_id)
    AND h.from_at <= OLD.timestamp AND (h.until_at IS NULL OR h.until_at >= OLD.timestamp)))"""  # noqa: S608 - our own names


async def allowing(connection: AsyncConnection) -> list[str]:
    """Return the statements that are still needed so that the job can delete; none if there are none.

    Raises:
        ConfigurationError: The log or our own tables are missing, or a trigger is not understood.
    """
    tables = await _tables(connection)
    for name in (LOG, "data_retention", "trenova_jobs_legal_holds"):
        if name not in tables:
            raise ConfigurationError(
                f"The table {name} is missing, so retention has nothing to work on. "
                "Run 'trenova-activities db migrate', or mend --url.",
                table=name,
            )
    refusing = await refusing_triggers(connection, LOG)
    closed = [trigger for trigger in refusing if not trigger.lets_retention_through]
    if not closed and (not refusing or {PERMITS, ORIGINALS} <= tables):
        return []
    return list(_allow(closed))


async def revoking(connection: AsyncConnection) -> list[str]:
    """Return the statements that put the log back as it was; none if nothing of the way through is there."""
    tables = await _tables(connection)
    if ORIGINALS not in tables:
        return []
    kept = (await connection.execute(text(f"SELECT name, definition FROM {ORIGINALS}"))).all()  # noqa: S608 - our own name
    opened = {t.name for t in await refusing_triggers(connection, LOG) if t.lets_retention_through}
    statements = [
        statement
        for row in kept
        if row.name in opened
        for statement in (f"DROP TRIGGER {_quoted(row.name)}", str(row.definition))
    ]
    return [*statements, f"DROP TABLE {PERMITS}", f"DROP TABLE {ORIGINALS}"]


def _allow(closed: list[LogTrigger]) -> Iterator[str]:
    yield (
        f"CREATE TABLE IF NOT EXISTS {PERMITS} (organization_id VARCHAR(100) NOT NULL, "
        "business_unit_id VARCHAR(100) NOT NULL, cutoff BIGINT NOT NULL, "
        "PRIMARY KEY (organization_id, business_unit_id))"
    )
    yield f"CREATE TABLE IF NOT EXISTS {ORIGINALS} (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL)"
    for trigger in closed:
        values = f"{_literal(trigger.name)}, {_literal(trigger.definition)}"
        yield f"INSERT OR REPLACE INTO {ORIGINALS} (name, definition) VALUES ({values})"  # noqa: S608 - quoted above
        yield f"DROP TRIGGER {_quoted(trigger.name)}"
        yield passing_on_sqlite(trigger, _PERMITTED)


async def _tables(connection: AsyncConnection) -> set[str]:
    return set((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
