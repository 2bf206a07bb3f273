"""The statements that open an append-only log on PostgreSQL to retention alone, and those that close it again."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database import _retention_function as function
from trenova_activities.database._append_only import (
    LOG,
    RETENTION_ROLE,
    LogTrigger,
    differs_in_condition_only,
    passing_on_postgresql,
    refusing_triggers,
)
from trenova_errors import ConfigurationError

PERIODS: Final = "data_retention"
HOLDS: Final = "trenova_jobs.legal_holds"
_MEMBERSHIPS_BY_GRANTOR: Final = 160_000

_CREATE_ROLE: Final = (
    f"DO $$ BEGIN IF to_regrole('{RETENTION_ROLE}') IS NULL THEN CREATE ROLE {RETENTION_ROLE} NOLOGIN; END IF; "
    "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"  # another database of the server
)
_DROP_ROLE: Final = (
    f"DO $$ BEGIN DROP ROLE IF EXISTS {RETENTION_ROLE}; "
    "EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL; END $$"
)
# Default privileges may have let others in at the moment of creation.
_REVOKE_OTHERS: Final = f"""DO $$ DECLARE other regrole; BEGIN
    FOR other IN SELECT a.grantee::regrole FROM pg_proc p, aclexplode(p.proacl) a
        WHERE p.oid = '{function.SIGNATURE}'::regprocedure AND a.grantee NOT IN (0, p.proowner) LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION {function.SIGNATURE} FROM %s CASCADE', other);
    END LOOP; END $$"""  # noqa: S608 - our own name

_TABLES = text("""
    SELECT pg_catalog.to_regclass(:log) IS NOT NULL AS has_log,
        (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
            ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass(:log)) AS schema_name,
        pg_catalog.to_regclass(:periods) IS NOT NULL AS has_periods,
        pg_catalog.to_regclass(:holds) IS NOT NULL AS has_holds,
        (SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(:log)) AS by_row,
        (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
        pg_catalog.current_setting('server_version_num')::int AS version,
        coalesce(pg_catalog.pg_has_role(pg_catalog.to_regrole(:role), 'USAGE'), false) AS member""")
_FUNCTION = text("""
    SELECT p.prosrc AS body, pg_catalog.obj_description(p.oid, 'pg_proc') AS note,
        p.prosecdef AND p.proisstrict AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp']
            AND pg_catalog.pg_get_userbyid(p.proowner) = :owner AS as_created,
        EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
            WHERE a.grantee = 0) AS for_all,
        ARRAY(SELECT pg_catalog.pg_get_userbyid(a.grantee)::text FROM pg_catalog.aclexplode(p.proacl) a
            WHERE a.grantee NOT IN (0, p.proowner)) AS granted
    FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regprocedure(:signature)""")


@dataclass(frozen=True)
class _Where:
    """The quoted names of the schema and the tables, and who asks."""

    schema: str
    log: str
    periods: str
    quote: Callable[[str], str]
    superuser: bool
    join: str
    """Makes the user a member of the role, as it must be to give it a function or to take one away; may be empty."""

    @property
    def leave(self) -> str:
        """Undoes :attr:`join`."""
        return f"REVOKE {RETENTION_ROLE} FROM CURRENT_USER" if self.join else ""


@dataclass(frozen=True)
class _Found:
    """The function as it is in the database, with the triggers as they were before it."""

    body: str
    callers: frozenset[str]
    originals: Mapping[str, str]
    sealed: bool

    def is_current(self, where: _Where) -> bool:
        """Whether it is the function of this installation, and the role's alone."""
        return self.sealed and self.body == function.body(where.log, where.periods)


_NOTE: Final = "Deletes audit entries for the retention job. Written by trenova-activities db allow-retention. Undo: "


async def allowing(connection: AsyncConnection, schema: str | None, role: str | None) -> list[str]:
    """Return the statements that are still needed so that the job can delete; none if there are none.

    Args:
        connection: As the user who would run them.
        schema: Of the TMS's tables; None for the search path.
        role: Who alone may call the function; None for the user itself, beside those who may already.

    Raises:
        ConfigurationError: Something that must be there is missing, or cannot be opened.
    """
    where = await _where(connection, schema)
    caller = await _caller(connection, role)
    refusing = await refusing_triggers(connection, where.log)
    found = await _found(connection)
    known = found.originals if found else {}
    closed = [trigger for trigger in refusing if not trigger.lets_retention_through]
    _refuse_unknown(refusing, known)
    originals = {**known, **{trigger.name: trigger.definition for trigger in closed}}
    known_callers = found.callers if found else frozenset()
    callers = {caller} if role is not None else {caller, *known_callers}
    if found and not closed and callers == known_callers and found.is_current(where):
        return []
    return list(_allow(where, callers, known_callers - callers, closed, originals))


async def revoking(connection: AsyncConnection, schema: str | None) -> list[str]:
    """Return the statements that put the log back as it was; none if nothing of the way through is there.

    Raises:
        ConfigurationError: A trigger was changed since it was opened; it has to be restored by hand.
    """
    found = await _found(connection)
    if found is None:
        return []
    where, originals = await _where(connection, schema), found.originals
    opened = [t for t in await refusing_triggers(connection, where.log) if t.lets_retention_through]
    _refuse_unknown(opened, originals)
    return list(_revoke(where, opened, originals))


def _allow(
    where: _Where,
    callers: Collection[str],
    others: Collection[str],
    closed: list[LogTrigger],
    originals: Mapping[str, str],
) -> Iterator[str]:
    quote, log, periods = where.quote, where.log, where.periods
    yield _CREATE_ROLE
    yield from filter(None, (where.join,))
    if not where.superuser:
        yield f"GRANT CREATE ON SCHEMA trenova_jobs TO {RETENTION_ROLE}"
    yield f"GRANT USAGE ON SCHEMA {where.schema}, trenova_jobs TO {RETENTION_ROLE}"
    columns = "id, organization_id, business_unit_id, timestamp, resource, resource_id"
    yield f"GRANT SELECT ({columns}), DELETE ON {log} TO {RETENTION_ROLE}"
    yield f"GRANT SELECT (organization_id, business_unit_id, audit_retention_period) ON {periods} TO {RETENTION_ROLE}"
    yield f"GRANT SELECT ON {HOLDS} TO {RETENTION_ROLE}"
    yield function.create(log, periods)
    yield f"REVOKE ALL ON FUNCTION {function.SIGNATURE} FROM PUBLIC"
    for name in sorted(others):
        yield f"REVOKE ALL ON FUNCTION {function.SIGNATURE} FROM {quote(name)} CASCADE"
    yield _REVOKE_OTHERS
    yield f"COMMENT ON FUNCTION {function.SIGNATURE} IS {_literal(_NOTE + json.dumps(originals))}"
    yield f"ALTER FUNCTION {function.SIGNATURE} OWNER TO {RETENTION_ROLE}"
    yield f"GRANT EXECUTE ON FUNCTION {function.SIGNATURE} TO {', '.join(quote(name) for name in sorted(callers))}"
    for trigger in closed:
        yield passing_on_postgresql(trigger)
        yield from _always(quote(trigger.name), log, trigger)
    if not where.superuser:
        yield f"REVOKE CREATE ON SCHEMA trenova_jobs FROM {RETENTION_ROLE}"
    yield from filter(None, (where.leave,))


def _revoke(where: _Where, opened: list[LogTrigger], originals: Mapping[str, str]) -> Iterator[str]:
    for trigger in opened:
        yield originals[trigger.name].replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1)
        yield from _always(where.quote(trigger.name), where.log, trigger)
    yield from filter(None, (where.join, f"DROP FUNCTION {function.SIGNATURE}", where.leave))
    for table in (where.log, where.periods, HOLDS):
        yield f"REVOKE ALL ON {table} FROM {RETENTION_ROLE}"
    yield f"REVOKE ALL ON SCHEMA {where.schema}, trenova_jobs FROM {RETENTION_ROLE}"
    yield _DROP_ROLE


def _always(name: str, log: str, trigger: LogTrigger) -> Iterator[str]:
    if trigger.always:
        yield f"ALTER TABLE {log} ENABLE ALWAYS TRIGGER {name}"


async def _where(connection: AsyncConnection, schema: str | None) -> _Where:
    quote = connection.dialect.identifier_preparer.quote
    prefix = f"{quote(schema)}." if schema else ""
    names = {"log": f"{prefix}{LOG}", "periods": f"{prefix}{PERIODS}", "holds": HOLDS, "role": RETENTION_ROLE}
    row = (await connection.execute(_TABLES, names)).one()
    for there, table in ((row.has_log, LOG), (row.has_periods, PERIODS), (row.has_holds, HOLDS)):
        if not there:
            raise ConfigurationError(
                f"The table {table} is missing, so retention has nothing to work on. "
                "Run 'trenova-activities db migrate', or mend --url and --schema.",
                table=table,
            )
    if row.by_row:
        raise ConfigurationError(
            f"{LOG} has row-level security, which would hide its rows from {RETENTION_ROLE}. "
            "Retention does not work on such a log."
        )
    tms = str(row.schema_name)
    return _Where(tms, f"{tms}.{LOG}", f"{tms}.{PERIODS}", quote, superuser=bool(row.superuser), join=_join(row))


def _join(user: Row[Any]) -> str:
    """Return the GRANT; what it adds to a membership that is there already, or may be, differs by version."""
    join = f"GRANT {RETENTION_ROLE} TO CURRENT_USER"
    if user.version >= _MEMBERSHIPS_BY_GRANTOR:  # a row of its own, whatever the server gave who created the role
        return "" if user.superuser else f"{join} WITH INHERIT TRUE, SET TRUE"
    return "" if user.superuser or user.member else join


async def _caller(connection: AsyncConnection, role: str | None) -> str:
    query = text("SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = coalesce(:role, current_user)")
    found = (await connection.execute(query, {"role": role})).scalar_one_or_none()
    if found is None or found == RETENTION_ROLE:
        raise ConfigurationError(
            f"There is no role {role!r} that could call the function. Name the role of the system worker.",
            role=str(role),
        )
    return str(found)


async def _found(connection: AsyncConnection) -> _Found | None:
    wanted = {"signature": function.SIGNATURE, "owner": RETENTION_ROLE}
    row = (await connection.execute(_FUNCTION, wanted)).one_or_none()
    if row is None:
        return None
    _, marked, told = (row.note or "").partition(_NOTE)
    # Of a function that is not the role's own, anybody may have written the note.
    originals: dict[str, str] = json.loads(told) if marked and row.as_created else {}
    return _Found(row.body, frozenset(row.granted), originals, sealed=row.as_created and not row.for_all)


def _refuse_unknown(triggers: list[LogTrigger], originals: Mapping[str, str]) -> None:
    for trigger in triggers:
        if trigger.lets_retention_through:
            original = originals.get(trigger.name)
            if original is None or not differs_in_condition_only(original, trigger.definition):
                was = f" It was: {original}" if original else ""
                raise ConfigurationError(
                    f"The trigger {trigger.name!r} spares retention, but not as this program wrote it. "
                    f"Restore it by hand.{was}",
                    trigger=trigger.name,
                )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
