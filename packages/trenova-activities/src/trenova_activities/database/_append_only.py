"""Triggers that keep the audit log append-only, and how each is written so that retention passes it.

An append-only log has triggers that raise on DELETE. Which they are is read from the database, whatever their
names; a trigger that also writes somewhere (an archive, say) is not one of them, since to pass it would be to
skip what it does.
"""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import ConfigurationError

RETENTION_ROLE: Final = "trenova_retention"
"""The PostgreSQL role as which alone rows of the log may be deleted; nobody can log in as it."""

PERMITS: Final = "trenova_jobs_retention_permits"
"""On SQLite: the tenants of which old entries may be deleted in the transaction at hand."""

LOG: Final = "audit_entries"

_PG_TRIGGERS = text("""
    SELECT t.tgname AS name, pg_catalog.pg_get_triggerdef(t.oid) AS definition, p.prosrc AS body,
        t.tgenabled::text AS enabled, t.tgconstraint <> 0 AS is_constraint
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = CAST(:log AS regclass) AND NOT t.tgisinternal AND t.tgparentid = 0
    AND t.tgenabled IN ('O', 'A') AND t.tgtype & 8 = 8
    ORDER BY t.tgname""")  # 8: TRIGGER_TYPE_DELETE of pg_trigger.h
_PG_PARTS = re.compile(
    r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?(?P<head>TRIGGER .*? FOR EACH (?:ROW|STATEMENT)) "
    r"(?:WHEN \((?P<when>.*)\) )?(?P<tail>EXECUTE (?:FUNCTION|PROCEDURE) .*)",
    re.DOTALL,
)
_PG_PASS = f"current_user <> '{RETENTION_ROLE}'"

_SQLITE_TRIGGERS = text(
    "SELECT name, sql AS definition FROM sqlite_master "
    "WHERE type = 'trigger' AND lower(tbl_name) = lower(:log) ORDER BY name"
)
_SQLITE_NAME = r"(?:\"[^\"]+\"|\[[^\]]+\]|`[^`]+`|\w+)"
_SQLITE_PARTS = re.compile(
    rf"\s*CREATE\s+(?P<head>TRIGGER\b.*?\b(?P<event>INSERT|UPDATE|DELETE)\b.*?\bON\s+{_SQLITE_NAME}"
    r"(?:\s+FOR\s+EACH\s+ROW)?)\s*(?:\bWHEN\b(?P<when>.*?))?\s*\b(?P<tail>BEGIN\b.*)",
    re.DOTALL | re.IGNORECASE,
)

_LITERALS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_RAISES = re.compile(r"\braise\b(?!\s+(?:debug|log|info|notice|warning)\b)", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:insert|update|delete|merge|perform|execute|call|copy)\b", re.IGNORECASE)


@dataclass(frozen=True)
class LogTrigger:
    """One trigger that refuses deletions.

    Attributes:
        name: As the database has it, unquoted.
        definition: The whole ``CREATE TRIGGER`` statement, as the database tells it.
        always: It fires in replicas too (``ENABLE ALWAYS``), which a new definition has to be told again.
    """

    name: str
    definition: str
    always: bool = False

    @property
    def lets_retention_through(self) -> bool:
        """Whether its condition already spares the retention job."""
        return RETENTION_ROLE in self.definition or PERMITS in self.definition


async def refusing_triggers(connection: AsyncConnection, log: str) -> list[LogTrigger]:
    """Return the triggers of the log that raise on DELETE, by name.

    Args:
        connection: Any.
        log: The log's quoted and qualified name.

    Raises:
        ConfigurationError: One of them is a constraint trigger, which cannot be given another condition.
    """
    if connection.dialect.name == "sqlite":
        rows = (await connection.execute(_SQLITE_TRIGGERS, {"log": LOG})).all()
        parsed = [(row, _SQLITE_PARTS.fullmatch(row.definition)) for row in rows]
        return [
            LogTrigger(row.name, row.definition)
            for row, parts in parsed
            if parts and parts["event"].upper() == "DELETE" and _refuses(parts["tail"])
        ]
    rows = (await connection.execute(_PG_TRIGGERS, {"log": log})).all()
    refusing = [row for row in rows if _refuses(row.body)]
    for row in refusing:
        if row.is_constraint:
            raise ConfigurationError(
                f"The constraint trigger {row.name!r} keeps {log} append-only, and a constraint trigger cannot be "
                "given a condition. Make it a plain trigger first.",
                trigger=str(row.name),
            )
    return [LogTrigger(row.name, row.definition, row.enabled == "A") for row in refusing]


def passing_on_postgresql(trigger: LogTrigger) -> str:
    """Write the same trigger so that it spares :data:`RETENTION_ROLE`.

    Raises:
        ConfigurationError: The definition has a form that is not understood.
    """
    parts = _parts(_PG_PARTS, trigger)
    when = f"({parts['when']}) AND ({_PG_PASS})" if parts["when"] else _PG_PASS
    return f"CREATE OR REPLACE {parts['head']} WHEN ({when}) {parts['tail']}"


def passing_on_sqlite(trigger: LogTrigger, permitted: str) -> str:
    """Write the same trigger so that it spares rows of which ``permitted`` is true.

    Raises:
        ConfigurationError: The definition has a form that is not understood.
    """
    parts = _parts(_SQLITE_PARTS, trigger)
    when = f"({parts['when'].strip()}) AND NOT {permitted}" if parts["when"] else f"NOT {permitted}"
    return f"CREATE {parts['head'].strip()} WHEN {when} {parts['tail']}"


def differs_in_condition_only(one: str, other: str) -> bool:
    """Whether two PostgreSQL definitions are the same trigger but for their conditions."""
    mine, theirs = _PG_PARTS.fullmatch(one), _PG_PARTS.fullmatch(other)
    if mine is None or theirs is None:
        return False
    return (mine["head"], mine["tail"]) == (theirs["head"], theirs["tail"])


def _parts(pattern: re.Pattern[str], trigger: LogTrigger) -> re.Match[str]:
    parts = pattern.fullmatch(trigger.definition)
    if parts is None:
        raise ConfigurationError(
            f"The definition of the trigger {trigger.name!r} is not understood. "
            "Give it a condition that spares retention by hand.",
            trigger=trigger.name,
        )
    return parts


def _refuses(body: str) -> bool:
    code = _LITERALS.sub("''", body)
    return bool(_RAISES.search(code)) and not _WRITES.search(code)
