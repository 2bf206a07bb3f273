"""Plans and approvals as they are kept: written once, and never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Row, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._wire import MAX_ID
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_run import insert_into
from trenova_activities.database._plan import Plan, PlannedTenant
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError

_AT_ONCE: Final = 1_000
_LEAST_PREFIX: Final = 6


@dataclass(frozen=True)
class Approval:
    """One person's word for a plan; who it was is what they said, not what anybody has proved."""

    approved_by: str
    reason: str
    approved_at: int


@dataclass(frozen=True)
class StoredPlan:
    """A plan that is on record.

    Attributes:
        hash: Its key, as recorded.
        plan: What it says.
        made_by: Who made it, as they said.
        made_at: The database's clock then, unix seconds.
        approvals: In the order of time.
    """

    hash: str
    plan: Plan
    made_by: str
    made_at: int
    approvals: Sequence[Approval] = ()

    @property
    def is_genuine(self) -> bool:
        """Whether the plan is still the one that its hash was made of."""
        return self.plan.hash() == self.hash

    def is_approved(self, *, two_person: bool) -> bool:
        """Whether somebody has approved it, somebody else than who made it if two persons are needed."""
        return any(not (two_person and same_person(one.approved_by, self.made_by)) for one in self.approvals)


def named(who: str, does: str) -> str:
    """Return a name without blanks around it.

    Raises:
        InvalidInputError: It is empty or too long.
    """
    name = who.strip()
    if not 1 <= len(name) <= MAX_ID:
        raise InvalidInputError(f"Say who {does}, in 1 to {MAX_ID} characters.")
    return name


def same_person(one: str, other: str) -> bool:
    """Whether two names are one, however they are written."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


async def store(database: Database, plan: Plan, *, made_by: str) -> StoredPlan:
    """Write a plan with all its parts; one that is there already stays as it is."""
    key, tables = plan.hash(), database.jobs
    async with database.write() as connection:
        row = {
            "hash": key,
            "job_type": plan.job_type,
            "as_of": plan.as_of,
            "organization_ids": list(plan.organization_ids),
            "tenants": len(plan.tenants),
            "total": plan.total,
            "made_by": made_by,
            "made_at": await database.clock(connection),
        }
        written = await connection.execute(
            insert_into(connection, tables.job_plans).values(row).on_conflict_do_nothing()
        )
        if written.rowcount == 1:
            await _insert(connection, tables.job_plan_tenants, (_tenant_row(key, one) for one in plan.tenants))
            await _insert(connection, tables.job_plan_days, _day_rows(key, plan.tenants))
    return await find_plan(database, key)


async def find_plan(database: Database, name: str) -> StoredPlan:
    """Load a plan by its hash, or by as much of its beginning as is unique (6 characters or more).

    Raises:
        ResourceNotFoundError: There is none.
        InvalidInputError: Several begin like that, or too little of it was given.
    """
    if len(name) < _LEAST_PREFIX:
        raise InvalidInputError(
            f"{name!r} is too short for the hash of a plan; give {_LEAST_PREFIX} characters or more."
        )
    table = database.jobs.job_plans
    async with database.read() as connection:
        query = select(table).where(table.c.hash.startswith(name.lower(), autoescape=True)).limit(2)
        rows = (await connection.execute(query)).all()
        if not rows:
            raise ResourceNotFoundError(
                f"There is no plan {name!r}; 'trenova-activities plan list' shows those that there are.", plan=name
            )
        if len(rows) > 1:
            raise InvalidInputError(f"Several plans begin with {name!r}; give more of the hash.")
        return await _load(database, connection, rows[0])


async def list_plans(database: Database, *, limit: int = 50) -> list[tuple[Row[Any], list[Row[Any]]]]:
    """Return rows of ``job_plans``, the newest first, each with its approvals."""
    plans, approvals = database.jobs.job_plans, database.jobs.job_plan_approvals
    async with database.read() as connection:
        rows = (
            await connection.execute(select(plans).order_by(plans.c.made_at.desc(), plans.c.hash).limit(limit))
        ).all()
        query = select(approvals).where(approvals.c.hash.in_([row.hash for row in rows]))
        given = (await connection.execute(query.order_by(approvals.c.approved_at, approvals.c.approved_by))).all()
    return [(row, [one for one in given if one.hash == row.hash]) for row in rows]


async def approve_plan(
    database: Database, name: str, *, approved_by: str, reason: str = "", alone: bool = False
) -> StoredPlan:
    """Record that somebody approves a plan; who it is is a claim, like the name of who made it.

    Args:
        database: Where the plan is; its user may write ``job_plan_approvals``.
        name: As for :func:`find_plan`.
        approved_by: Who, as they say.
        reason: Why; recorded.
        alone: Also by who made it. Workers whose settings ask for two persons do not count that.

    Raises:
        ResourceNotFoundError: There is no such plan.
        InvalidInputError: Nobody is named, or ``name`` is not unique.
        ConflictError: It is who made the plan, who has approved it already, or the plan was altered.
    """
    approver = named(approved_by, "approves the plan")
    found = await find_plan(database, name)
    if not found.is_genuine:
        raise ConflictError(f"The plan {found.hash} was altered after it was made. Make a new one.", plan=found.hash)
    if same_person(approver, found.made_by) and not alone:
        raise ConflictError(
            f"{found.made_by!r} made this plan; let somebody else approve it. '--alone' records it all the same, "
            "but workers that ask for two persons do not count it.",
            plan=found.hash,
        )
    if any(same_person(approver, one.approved_by) for one in found.approvals):
        raise ConflictError(f"{approver!r} has approved this plan already.", plan=found.hash)
    table = database.jobs.job_plan_approvals
    async with database.write() as connection:
        row: dict[str, Any] = {"hash": found.hash, "approved_by": approver, "reason": reason.strip()}
        row["approved_at"] = await database.clock(connection)
        await connection.execute(insert(table).values(row))
    return await find_plan(database, found.hash)


async def _load(database: Database, connection: AsyncConnection, row: Row[Any]) -> StoredPlan:
    async def parts(table: Table) -> Sequence[Row[Any]]:
        query = select(table).where(table.c.hash == row.hash).order_by(*table.primary_key.columns)
        return (await connection.execute(query)).all()

    days: dict[Tenant, list[tuple[int, int]]] = {}
    for one in await parts(database.jobs.job_plan_days):
        days.setdefault(Tenant(one.organization_id, one.business_unit_id), []).append((one.day, one.rows))
    tenants = [_planned(one, days) for one in await parts(database.jobs.job_plan_tenants)]
    given = await parts(database.jobs.job_plan_approvals)
    approvals = [Approval(one.approved_by, one.reason, one.approved_at) for one in given]
    return StoredPlan(
        hash=row.hash,
        plan=Plan(row.job_type, row.as_of, row.organization_ids, tenants),
        made_by=row.made_by,
        made_at=row.made_at,
        approvals=sorted(approvals, key=lambda one: (one.approved_at, one.approved_by)),
    )


def _planned(row: Row[Any], days: Mapping[Tenant, Sequence[tuple[int, int]]]) -> PlannedTenant:
    tenant = Tenant(row.organization_id, row.business_unit_id)
    return PlannedTenant(tenant, row.setting, row.cutoff, row.reason, sorted(days.get(tenant, ())), row.held_rows)


def _tenant_row(key: str, one: PlannedTenant) -> dict[str, Any]:
    return {
        "hash": key,
        **one.tenant.values,
        "setting": one.setting,
        "cutoff": one.cutoff,
        "reason": one.reason,
        "rows": one.rows,
        "held_rows": one.held_rows,
    }


def _day_rows(key: str, tenants: Iterable[PlannedTenant]) -> Iterable[dict[str, Any]]:
    for one in tenants:
        for day, rows in one.days:
            yield {"hash": key, **one.tenant.values, "day": day, "rows": rows}


async def _insert(connection: AsyncConnection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        await connection.execute(insert(table), part)
