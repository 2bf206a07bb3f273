"""Every schedule that was ever seen: visibility's list may lose one for a while, and does not scale to search."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import func, select, update
from sqlalchemy.engine import RowMapping

from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import maybe_from_seconds, now, seconds
from trenova_store import upsert

_KEPT = ("first_seen_at", "settled_to")


class RegisteredSchedule(BaseModel):
    """What is known of a schedule without asking the server.

    Attributes:
        schedule_id: Its id.
        owner: Who answers for it; None for one that is not ours.
        organization_id: Whose it is, where schedules belong to organizations.
        workflow: Wire name of the workflow it starts.
        task_queue: Where.
        paused: Whether it was paused when it was last seen.
        labels: To find it by, and to say who may touch it.
        document: What else whoever wrote it wants to find again, as JSON.
        first_seen_at: When it was first seen.
        seen_at: When it was last seen.
        gone_at: When it was found to be deleted; None while it exists.
        settled_to: Before this time, the ledger's classes of it are final; None before the first harvest.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    schedule_id: str = Field(min_length=1, max_length=1000)
    owner: str | None = Field(default=None, max_length=200)
    organization_id: str | None = Field(default=None, max_length=100)
    workflow: str = ""
    task_queue: str = ""
    paused: bool = False
    labels: Mapping[str, str] = Field(default_factory=dict)
    document: Mapping[str, Any] = Field(default_factory=dict)
    first_seen_at: AwareDatetime = Field(default_factory=now)
    seen_at: AwareDatetime = Field(default_factory=now)
    gone_at: AwareDatetime | None = None
    settled_to: AwareDatetime | None = None


class Registry:
    """Known schedules, by id.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.registry

    async def seen(self, schedules: Sequence[RegisteredSchedule]) -> None:
        """Add or refresh; when one was first seen and how far its ledger is settled stay as they are."""
        rows = [_row(schedule) for schedule in schedules]
        async with self._engine.write() as connection:
            await upsert(connection, self._table, rows, key=("schedule_id",), keep=_KEPT, newer="seen_at")

    async def gone(self, schedule_id: str, *, at: datetime | None = None) -> None:
        """Mark a schedule as deleted; its ledger stays."""
        table = self._table
        statement = update(table).where(table.c.schedule_id == schedule_id, table.c.gone_at.is_(None))
        async with self._engine.write() as connection:
            await connection.execute(statement.values(gone_at=seconds(at or now())))

    async def settled(self, schedule_id: str, to: datetime) -> None:
        """Keep up to when the ledger of a schedule is final; it never goes back."""
        table = self._table
        forward = table.c.settled_to.is_(None) | (table.c.settled_to < seconds(to))
        statement = update(table).where(table.c.schedule_id == schedule_id, forward)
        async with self._engine.write() as connection:
            await connection.execute(statement.values(settled_to=seconds(to)))

    async def find(self, schedule_id: str) -> RegisteredSchedule | None:
        """Return what is known of a schedule, deleted or not; None if it was never seen."""
        table = self._table
        async with self._engine.read() as connection:
            row = (await connection.execute(select(table).where(table.c.schedule_id == schedule_id))).mappings().first()
        return None if row is None else _registered(row)

    async def read(
        self, *, after: str = "", limit: int = 1000, owner: str | None = None, gone: bool = False
    ) -> list[RegisteredSchedule]:
        """Return schedules in order of their ids.

        Args:
            after: The id after which to begin.
            limit: How many at most.
            owner: Only this owner's.
            gone: Whether those that were deleted count as well.
        """
        table = self._table
        where = [table.c.schedule_id > after]
        if owner is not None:
            where.append(table.c.owner == owner)
        if not gone:
            where.append(table.c.gone_at.is_(None))
        query = select(table).where(*where).order_by(table.c.schedule_id).limit(limit)
        async with self._engine.read() as connection:
            return [_registered(row) for row in (await connection.execute(query)).mappings()]

    async def count(self) -> int:
        """Return how many schedules exist, as far as is known."""
        table = self._table
        query = select(func.count()).select_from(table).where(table.c.gone_at.is_(None))
        async with self._engine.read() as connection:
            return int((await connection.execute(query)).scalar_one())


def _row(schedule: RegisteredSchedule) -> dict[str, Any]:
    times = {"first_seen_at", "seen_at", "gone_at", "settled_to"}
    return {
        **schedule.model_dump(exclude=times),
        "first_seen_at": seconds(schedule.first_seen_at),
        "seen_at": seconds(schedule.seen_at),
        "gone_at": None,
        "settled_to": None,
    }


def _registered(row: RowMapping) -> RegisteredSchedule:
    times = ("first_seen_at", "seen_at", "gone_at", "settled_to")
    fields: dict[str, Any] = {name: value for name, value in row.items() if name not in times}
    fields |= {name: maybe_from_seconds(row[name]) for name in times}
    # As it was validated before it was written, and there may be thousands.
    return RegisteredSchedule.model_construct(**fields)
