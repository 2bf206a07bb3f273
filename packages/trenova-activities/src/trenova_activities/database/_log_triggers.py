"""Triggers of the audit log that do something else than refuse, and what they need when retention deletes."""

from typing import Final

from sqlalchemy import text

from trenova_activities.database._append_only import LOG, RETENTION_ROLE, refusing_triggers
from trenova_activities.database._engine import Database
from trenova_errors import ConfigurationError

# A function with rights and a search path of its own minds neither whose deletion it is nor from where.
_FIRING: Final = text("""
    SELECT t.tgname::text AS name FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = pg_catalog.to_regclass(:log) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    AND t.tgtype & 8 = 8 AND NOT (p.prosecdef AND coalesce(p.proconfig::text LIKE '%search_path=%', false))
    ORDER BY t.tgname""")  # 8: TRIGGER_TYPE_DELETE of pg_trigger.h


async def retention_notes(database: Database) -> list[str]:
    """Say which other triggers fire when the purge deletes, and as whom; nothing of it stops the purge by itself.

    Returns:
        One sentence for each; none on SQLite, where a trigger runs with the rights of whoever deletes.
    """
    if database.options.is_sqlite:
        return []
    async with database.read() as connection:
        quote = connection.dialect.identifier_preparer.quote
        schema = database.options.schema_name
        log = f"{quote(schema)}.{LOG}" if schema else LOG
        firing = list((await connection.execute(_FIRING, {"log": log})).scalars())
        try:
            refusing = {trigger.name for trigger in await refusing_triggers(connection, log)} if firing else set()
        except ConfigurationError:  # a constraint trigger: nothing passes, as ``check`` says
            return []
    return [
        f"the trigger {name!r} of {LOG} fires for what the purge deletes, as {RETENTION_ROLE} and with the search_path "
        f"'pg_catalog, pg_temp': it needs qualified names, and {RETENTION_ROLE} the privileges for what it writes"
        for name in firing
        if name not in refusing
    ]
