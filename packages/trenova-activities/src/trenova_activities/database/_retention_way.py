"""How the retention job may delete from the audit log of the database at hand."""

from enum import Enum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._append_only import LOG, PERMITS, refusing_triggers
from trenova_activities.database._engine import Database
from trenova_activities.database._retention_function import SIGNATURE
from trenova_errors import ConfigurationError

_ALLOW = "trenova-activities db allow-retention"


class Way(Enum):
    """What a deletion goes through."""

    PLAIN = "plain"
    """A DELETE: the log refuses nothing."""
    FUNCTION = "function"
    """The function that ``allow_retention`` makes on PostgreSQL."""
    PERMIT = "permit"
    """A permit that the triggers of SQLite look for."""


async def find_way(database: Database, connection: AsyncConnection) -> Way:
    """Look how old entries can be deleted; reads only.

    Raises:
        ConfigurationError: The log is append-only and nobody has let retention through, or this user may not
            go that way. The message says what to run.
    """
    quote = connection.dialect.identifier_preparer.quote
    schema = database.options.schema_name
    log = f"{quote(schema)}.{LOG}" if schema else LOG
    triggers = await refusing_triggers(connection, log)
    for trigger in triggers:
        if not trigger.lets_retention_through:
            raise ConfigurationError(
                f"The audit log is append-only: the trigger {trigger.name!r} on {LOG} refuses every deletion. "
                f"'{_ALLOW}' lets this job through, and nothing else; it shows its SQL first.",
                trigger=trigger.name,
            )
    if database.options.is_sqlite:
        return await _on_sqlite(connection, opened=bool(triggers))
    return await _on_postgresql(connection, log, opened=bool(triggers))


async def _on_sqlite(connection: AsyncConnection, *, opened: bool) -> Way:
    if not opened:
        return Way.PLAIN
    query = text("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name")
    if not (await connection.execute(query, {"name": PERMITS})).scalar_one():
        raise ConfigurationError(f"The table {PERMITS}, which {LOG} looks into, is missing. Run '{_ALLOW}'.")
    return Way.PERMIT


async def _on_postgresql(connection: AsyncConnection, log: str, *, opened: bool) -> Way:
    query = text(
        "SELECT current_user::text AS name, "
        "has_function_privilege(to_regprocedure(:function), 'EXECUTE') AND has_schema_privilege("
        "(SELECT pronamespace FROM pg_proc WHERE oid = to_regprocedure(:function)), 'USAGE') AS may_call, "
        "has_table_privilege(to_regclass(:log), 'DELETE') AS may_delete"
    )
    row = (await connection.execute(query, {"function": SIGNATURE, "log": log})).one()
    if row.may_call:
        return Way.FUNCTION
    if row.may_delete and not opened:
        return Way.PLAIN
    raise ConfigurationError(
        f"The user {row.name!r} may delete nothing from {LOG}. Run '{_ALLOW} --role {row.name}' as the owner of {LOG}.",
        user=row.name,
    )
