"""What a user of PostgreSQL who is no superuser lacks to open or close an append-only log, and what cures it.

Looked up in the catalogs alone, since to name a table of a schema that one may not use is an error already.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._append_only import LOG, RETENTION_ROLE
from trenova_errors import ConfigurationError
from trenova_store import JOBS_SCHEMA

PERIODS: Final = "data_retention"
HOLDS: Final = "legal_holds"
PRIVILEGE: Final = "42501"
"""SQLSTATE ``insufficient_privilege``."""

_GRANTED_BY_ADMINS: Final = 160_000  # from version 16 on, CREATEROLE alone does not let a user grant any role

_USER = text("""
    SELECT pg_catalog.quote_ident(current_user) AS name, u.rolsuper AS superuser, u.rolcreaterole AS creates,
        pg_catalog.current_setting('server_version_num')::int AS version, r.oid IS NOT NULL AS role_exists,
        coalesce(pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION'), false) AS admin
    FROM pg_catalog.pg_roles u LEFT JOIN pg_catalog.pg_roles r ON r.rolname = :role WHERE u.rolname = current_user""")
_TABLE = text("""
    SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
        pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) AS owner,
        pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
        pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS passes_select,
        pg_catalog.quote_ident(n.nspname) AS schema_name,
        pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)) AS schema_owner,
        pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
            OR pg_catalog.has_schema_privilege('public', n.oid, 'USAGE') AS passes_usage,
        pg_catalog.has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION') AS passes_create
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = :name AND CASE WHEN CAST(:schema AS text) IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
        ELSE n.nspname = CAST(:schema AS text) END""")


async def refuse_without_rights(connection: AsyncConnection, schema: str | None, *, revoke: bool) -> None:
    """End here if the user lacks something that the statements need; a superuser lacks nothing.

    Args:
        connection: As the user who would run them; its transaction has not failed.
        schema: Of the TMS's tables; None for the search path.
        revoke: The log is to be closed.

    Raises:
        ConfigurationError: With everything that is lacking, and for each the statement that cures it.
    """
    user = (await connection.execute(_USER, {"role": RETENTION_ROLE})).one()
    if user.superuser:
        return
    lacks = list(_of_role(user, revoke=revoke))
    for name, where in ((LOG, schema), (PERIODS, schema), (HOLDS, JOBS_SCHEMA)):
        table = (await connection.execute(_TABLE, {"name": name, "schema": where})).one_or_none()
        if table is not None:  # one that is not there is told otherwise
            lacks += [lack for lack in _of_table(user, name, table, revoke=revoke) if lack not in lacks]
    if lacks:
        raise ConfigurationError(
            f"The user {user.name} may not {'close' if revoke else 'open'} the audit log, so nothing was changed. "
            f"Lacking: {'; '.join(lacks)}. Or let a superuser run the command, or its SQL (--show).",
            sqlstate=PRIVILEGE,
        )


def _of_role(user: Row[Any], *, revoke: bool) -> Iterator[str]:
    if not user.role_exists and not revoke and not user.creates:
        yield f"it cannot create the role {RETENTION_ROLE} (as a superuser: ALTER ROLE {user.name} CREATEROLE)"
    by_right = user.creates and user.version < _GRANTED_BY_ADMINS
    if user.role_exists and not (by_right or user.admin):
        cure = f"GRANT {RETENTION_ROLE} TO {user.name} WITH ADMIN OPTION"
        yield f"the role {RETENTION_ROLE} is another's (as a superuser or who created it: {cure})"


def _of_table(user: Row[Any], name: str, table: Row[Any], *, revoke: bool) -> Iterator[str]:
    if name == LOG and not table.owned:
        cure = f"GRANT {table.owner} TO {user.name}"
        yield f"{table.name} belongs to {table.owner} (run this as {table.owner}, or {cure})"
    if name != LOG and not table.passes_select:
        cure = f"GRANT SELECT ON {table.name} TO {user.name} WITH GRANT OPTION"
        yield f"SELECT on {table.name}, to be passed on (as {table.owner}: {cure})"
    wanted = [] if table.passes_usage else ["USAGE"]
    if name == HOLDS and not revoke and not table.passes_create:
        wanted.append("CREATE")
    if wanted:
        cure = f"GRANT {', '.join(wanted)} ON SCHEMA {table.schema_name} TO {user.name} WITH GRANT OPTION"
        what = f"{' and '.join(wanted)} on the schema {table.schema_name}, to be passed on"
        yield f"{what} (as {table.schema_owner}: {cure})"
