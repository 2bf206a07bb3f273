"""Opening an append-only audit log to the retention job alone, and closing it again; explicit, and both undoable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database import _retention_postgresql as postgresql
from trenova_activities.database import _retention_sqlite as sqlite
from trenova_activities.database._engine import Database
from trenova_activities.database._failures import DriverError
from trenova_activities.database._retention_choice import opened_by_default, remembering, revoked_at
from trenova_activities.database._retention_rights import PRIVILEGE, refuse_without_rights
from trenova_errors import ConfigurationError

_LOCK = 0x7472_656E_6F76_6103  # "trenova", 3: a PostgreSQL advisory lock beside those of migrations and samples


async def retention_sql(database: Database, *, role: str | None = None, revoke: bool = False) -> list[str]:
    """Return the statements that :func:`allow_retention` (or :func:`revoke_retention`) would run now.

    Raises:
        ConfigurationError: As the functions themselves.
    """
    async with _explained(database, revoke=revoke), database.read() as connection:
        return await _statements(database, connection, role, revoke=revoke)


async def allow_retention(database: Database, *, role: str | None = None) -> list[str]:
    """Let the retention job, and nothing else, delete old entries of an append-only audit log.

    The triggers that refuse are given a condition and keep refusing everybody else, a superuser's plain DELETE
    included. On PostgreSQL the job calls a function that runs as the role ``trenova_retention``; on SQLite it puts
    a permit into a table of ours. A second call changes nothing; where a release of the TMS has put a trigger back
    as it was, it is opened again.

    Args:
        database: Its user is a superuser, or owns the log, has CREATEROLE (or the ADMIN option of
            ``trenova_retention``, where that exists), and may pass on USAGE and CREATE on ``trenova_jobs`` and SELECT
            on ``legal_holds``.
        role: On PostgreSQL, who may call the function from now on, and nobody else: the role of the system worker.
            None: the user itself, beside those who may already.

    Returns:
        The statements that were run, in one transaction; empty if there was nothing to do.

    Raises:
        ConfigurationError: A table or the role is missing, the user may not do this, or a trigger has a form
            that cannot be opened. Nothing was changed.
    """
    return await _run(database, role, revoke=False)


async def revoke_retention(database: Database) -> list[str]:
    """Undo :func:`allow_retention`: every trigger as it was, and nothing left of the way through.

    In the embedded TMS it also records that the log is to stay closed, which :func:`allow_by_default` respects.

    Returns:
        The statements that were run, in one transaction; empty if there was nothing to do.

    Raises:
        ConfigurationError: A trigger was changed since, or the user may not do this. Nothing was changed.
    """
    return await _run(database, None, revoke=True)


async def allow_by_default(database: Database) -> str:
    """Let retention through the log of the embedded TMS, unless an operator has closed it; for whoever migrates.

    Returns:
        One sentence for an operator, if there is anything to say: that the log was opened, or that it stays closed.
        Empty where it is open already, and in a TMS that is not the embedded one, which only
        :func:`allow_retention` opens.

    Raises:
        ConfigurationError: As :func:`allow_retention`.
    """
    async with database.read() as connection:
        if not await opened_by_default(database, connection):
            return ""
        closed = await revoked_at(database, connection)
    if closed is not None:
        return (
            f"The audit log stays closed to retention: 'db revoke-retention' was run on {closed}. "
            "'trenova-activities db allow-retention' opens it."
        )
    done = await _run(database, None, revoke=False, by_default=True)
    return "The audit log of the embedded TMS lets retention through now." if done else ""


async def _run(database: Database, role: str | None, *, revoke: bool, by_default: bool = False) -> list[str]:
    async with _explained(database, revoke=revoke), database.write() as connection:
        if not database.options.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if by_default and await revoked_at(database, connection) is not None:
            return []  # somebody was faster
        statements = await _statements(database, connection, role, revoke=revoke)
        if statements and not database.options.is_sqlite:
            await refuse_without_rights(connection, database.options.schema_name, revoke=revoke)
        for statement in statements:
            await connection.exec_driver_sql(statement)
        if statements:
            await _verify(database, connection, role, revoke=revoke)
        return statements


@asynccontextmanager
async def _explained(database: Database, *, revoke: bool) -> AsyncIterator[None]:
    """Say of a privilege that PostgreSQL refused which one it is and what cures it."""
    try:
        yield
    except ConfigurationError as error:
        if error.facts.get("sqlstate") != PRIVILEGE or not isinstance(error.__cause__, DriverError):
            raise
        async with database.read() as connection:
            await refuse_without_rights(connection, database.options.schema_name, revoke=revoke)
        raise ConfigurationError(
            "PostgreSQL refused this user one of the statements, so nothing was changed. Let a superuser run the "
            "command, or its SQL (--show).",
            sqlstate=PRIVILEGE,
        ) from error


async def _statements(database: Database, connection: AsyncConnection, role: str | None, *, revoke: bool) -> list[str]:
    if database.options.is_sqlite:
        needed = await (sqlite.revoking(connection) if revoke else sqlite.allowing(connection))
    elif revoke:
        needed = await postgresql.revoking(connection, database.options.schema_name)
    else:
        needed = await postgresql.allowing(connection, database.options.schema_name, role)
    return [*needed, *await remembering(database, connection, revoke=revoke)]


async def _verify(database: Database, connection: AsyncConnection, role: str | None, *, revoke: bool) -> None:
    """Read everything back before it is committed; what is still to do now was not understood."""
    if await _statements(database, connection, role, revoke=revoke):
        raise ConfigurationError(
            "The database did not take the triggers as they were written, so nothing was changed. "
            "Give the triggers of audit_entries a condition that spares trenova_retention by hand."
        )
