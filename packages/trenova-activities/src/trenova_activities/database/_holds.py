"""Legal holds: laid and released by people, obeyed by retention from its next batch on, and never forgotten."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._wire import MAX_ID
from trenova_activities.database._append_only import LOG
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._ids import new_id
from trenova_activities.database._plan_rows import named
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError

_PERIODS: Final = "data_retention"
_LEAST_PREFIX: Final = 8
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class HoldScope:
    """What a hold keeps.

    Attributes:
        organization_id: Whose entries.
        business_unit_id: Of which business unit; the only one of the organization's settings if absent.
        resource: Only entries of this ``resource``, as the log spells it; every one if absent.
        resource_id: Only entries of this ``resource_id``; every one if absent.
        from_at: Only entries of this time or later, unix seconds.
        until_at: Only entries of this time or earlier; without end if absent.
    """

    organization_id: str
    business_unit_id: str | None = None
    resource: str | None = None
    resource_id: str | None = None
    from_at: int = 0
    until_at: int | None = None


async def place_hold(database: Database, scope: HoldScope, *, reason: str, placed_by: str) -> Row[Any]:
    """Lay a hold; batches of retention that begin after it obey it.

    Args:
        database: The TMS's database; its user may write ``legal_holds``.
        scope: What to keep.
        reason: Why, for people; required.
        placed_by: Who lays it, as they say.

    Returns:
        The row of ``legal_holds``.

    Raises:
        InvalidInputError: No reason, nobody, a text that is too long, or an end before the beginning.
        ResourceNotFoundError: The tenant has neither a retention period nor an entry in the log, so that the hold
            would keep nothing: most likely its id is misspelt.
    """
    who, why = named(placed_by, "lays the hold"), _reason(reason)
    _refuse_nonsense(scope)
    catalog = await Catalog.reflect(database, [_PERIODS, LOG])
    table = database.jobs.legal_holds
    async with database.write() as connection:
        tenant = await _tenant(connection, catalog, scope)
        row = {
            "id": new_id("hold"),
            **tenant.values,
            "resource": scope.resource,
            "resource_id": scope.resource_id,
            "from_at": scope.from_at,
            "until_at": scope.until_at,
            "reason": why,
            "created_by": who,
            "created_at": await database.clock(connection),
        }
        await connection.execute(insert(table).values(row))
        return (await connection.execute(select(table).where(table.c.id == row["id"]))).one()


async def list_holds(
    database: Database, *, organization_id: str | None = None, released: bool = False, limit: int = 100
) -> list[Row[Any]]:
    """Return holds, the newest first.

    Args:
        database: Where they are.
        organization_id: Only of this organization.
        released: Those too that are not in force any more.
        limit: How many at most.
    """
    table = database.jobs.legal_holds
    query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
    if organization_id is not None:
        query = query.where(table.c.organization_id == organization_id)
    if not released:
        query = query.where(table.c.released_at.is_(None))
    async with database.read() as connection:
        return list((await connection.execute(query)).all())


async def release_hold(database: Database, name: str, *, reason: str, released_by: str) -> Row[Any]:
    """Release a hold; its row stays as a record of who laid and who released it.

    Args:
        database: Where it is; its user may update ``legal_holds``.
        name: Its id, or as much of its beginning as is unique (8 characters or more).
        reason: Why, for people; required.
        released_by: Who releases it, as they say.

    Raises:
        InvalidInputError: No reason, nobody, or an id that is not unique.
        ResourceNotFoundError: There is no such hold.
        ConflictError: It was released before.
    """
    who, why = named(released_by, "releases the hold"), _reason(reason)
    table = database.jobs.legal_holds
    async with database.write() as connection:
        hold = await _find(connection, database, name)
        mine = (table.c.id == hold.id, Tenant(hold.organization_id, hold.business_unit_id).owns(table))
        changes = {"released_at": await database.clock(connection), "released_by": who, "release_reason": why}
        done = await connection.execute(update(table).where(*mine, table.c.released_at.is_(None)).values(changes))
        if done.rowcount != 1:
            by = f" by {hold.released_by}" if hold.released_by else ""
            raise ConflictError(f"The hold {hold.id} was released before{by}.", hold=hold.id)
        return (await connection.execute(select(table).where(*mine))).one()


async def _find(connection: AsyncConnection, database: Database, name: str) -> Row[Any]:
    table = database.jobs.legal_holds
    exact = (await connection.execute(select(table).where(table.c.id == name).limit(2))).all()
    found = list(exact)
    if not found and len(name) >= _LEAST_PREFIX:
        query = select(table).where(table.c.id.startswith(name, autoescape=True)).limit(2)
        found = list((await connection.execute(query)).all())
    if not found:
        raise ResourceNotFoundError(
            f"There is no hold {name!r}; 'trenova-activities holds list' shows them.", hold=name
        )
    if len(found) > 1:
        raise InvalidInputError(f"Several holds begin with {name!r}; give the whole id.")
    return found[0]


async def _tenant(connection: AsyncConnection, catalog: Catalog, scope: HoldScope) -> Tenant:
    """Return whose entries the hold keeps, once it is sure that there is such a tenant."""
    for name in (_PERIODS, LOG):
        if name not in catalog:
            continue
        table = catalog[name]
        mine = [table.c.organization_id == scope.organization_id]
        if scope.business_unit_id is not None:
            mine.append(table.c.business_unit_id == scope.business_unit_id)
        query = select(table.c.business_unit_id).where(*mine).distinct().order_by(table.c.business_unit_id)
        units = list((await connection.execute(query.limit(_MOST_NAMED))).scalars())
        if len(units) > 1:
            raise InvalidInputError(
                f"The organization {scope.organization_id!r} has several business units: {', '.join(units)}. Name one."
            )
        if units:
            return Tenant(scope.organization_id, units[0])
    unit = "" if scope.business_unit_id is None else f" with business unit {scope.business_unit_id!r}"
    raise ResourceNotFoundError(
        f"No organization {scope.organization_id!r}{unit} has a retention period or an entry in the audit log, so a "
        "hold would keep nothing. Check the id.",
        organization_id=scope.organization_id,
    )


def _refuse_nonsense(scope: HoldScope) -> None:
    texts = (scope.organization_id, scope.business_unit_id, scope.resource, scope.resource_id)
    if any(text is not None and not 1 <= len(text.strip()) <= MAX_ID for text in texts):
        raise InvalidInputError(f"An id or a resource is empty or longer than {MAX_ID} characters.")
    if scope.from_at < 0 or (scope.until_at is not None and scope.until_at < scope.from_at):
        raise InvalidInputError("The hold ends before it begins, so it would keep nothing.")


def _reason(reason: str) -> str:
    if not reason.strip():
        raise InvalidInputError("Say why; the reason stays on record.")
    return reason.strip()
