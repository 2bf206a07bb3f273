"""Backfills and what became of each of their nominal times."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import func, select, update
from sqlalchemy.engine import RowMapping

from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import from_seconds, maybe_from_seconds, maybe_seconds, now, seconds
from trenova_schedules.store._upsert import insert_missing, upsert

_CHUNK = 1000
_TIMES = ("from_at", "to_at", "created_at", "updated_at", "finished_at")


class BackfillRow(BaseModel):
    """One backfill.

    Attributes:
        id: Of the backfill, and of its workflow.
        schedule_id: Which schedule.
        from_at: The first nominal time that counts.
        to_at: The first that no longer counts.
        policy: Which ticks: ``all``, ``missing`` or ``missing_and_failed``.
        mode: What the schedule's owner allows: ``each``, ``collapse`` or ``never``.
        reason: Why, in the words of whoever asked.
        actor: Who asked.
        state: Where it stands, e.g. ``running``, ``paused``, ``completed``, ``cancelled``, ``failed``.
        total: How many nominal times it is about.
        done: Of these, how many have a run of this backfill that completed, or had one before.
        failed: How many runs failed.
        skipped: How many need no run.
        options: Limits of rate and concurrency, priority and the like, as JSON.
        created_at: When it was asked for.
        updated_at: When this row was last written.
        finished_at: When it ended; None while it goes on.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    id: str = Field(min_length=1, max_length=200)
    schedule_id: str
    from_at: AwareDatetime
    to_at: AwareDatetime
    policy: str = "missing"
    mode: str = "each"
    reason: str
    actor: str = Field(max_length=200)
    state: str = "running"
    total: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    options: Mapping[str, Any] = Field(default_factory=dict)
    created_at: AwareDatetime = Field(default_factory=now)
    updated_at: AwareDatetime = Field(default_factory=now)
    finished_at: AwareDatetime | None = None


class BackfillTick(BaseModel):
    """One nominal time of a backfill.

    Attributes:
        at: The nominal time.
        state: ``waiting``, ``started``, ``completed``, ``failed`` or ``skipped``, or what else the backfill says.
        workflow_id: Of its run.
        run_id: Of its run.
        reason: Why it was skipped or failed.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    at: AwareDatetime
    state: str = Field(default="waiting", max_length=20)
    workflow_id: str | None = None
    run_id: str | None = None
    reason: str | None = None


class Backfills:
    """Backfills by id; every write may be repeated.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.backfills
        self._ticks = engine.tables.backfill_ticks

    async def add(self, backfill: BackfillRow) -> bool:
        """Add a backfill; return whether it is new, false if one of this id is there, which stays as it is."""
        async with self._engine.write() as connection:
            return bool(await insert_missing(connection, self._table, [_row(backfill)], key=("id",)))

    async def update(self, backfill_id: str, *, finished_at: datetime | None = None, **columns: Any) -> None:
        """Set columns such as ``state``, ``total`` or ``done``, and when that was.

        Args:
            backfill_id: Of the backfill.
            finished_at: When it ended; what was kept before stays if absent.
            columns: New values by the names of the model.
        """
        table = self._table
        finished = {} if finished_at is None else {"finished_at": seconds(finished_at)}
        values = {**columns, **finished, "updated_at": seconds(now())}
        async with self._engine.write() as connection:
            await connection.execute(update(table).where(table.c.id == backfill_id).values(**values))

    async def find(self, backfill_id: str) -> BackfillRow | None:
        """Return a backfill, or None."""
        table = self._table
        async with self._engine.read() as connection:
            row = (await connection.execute(select(table).where(table.c.id == backfill_id))).mappings().first()
        return None if row is None else _backfill(row)

    async def read(self, *, schedule_id: str | None = None, limit: int = 100) -> list[BackfillRow]:
        """Return backfills, the newest first."""
        table = self._table
        where = [] if schedule_id is None else [table.c.schedule_id == schedule_id]
        query = select(table).where(*where).order_by(table.c.created_at.desc(), table.c.id).limit(limit)
        async with self._engine.read() as connection:
            return [_backfill(row) for row in (await connection.execute(query)).mappings()]

    async def plan(self, backfill_id: str, ticks: Sequence[BackfillTick]) -> None:
        """Add nominal times; those that are there stay as they are."""
        async with self._engine.write() as connection:
            for begin in range(0, len(ticks), _CHUNK):
                rows = [_tick_row(backfill_id, tick) for tick in ticks[begin : begin + _CHUNK]]
                await insert_missing(connection, self._ticks, rows, key=("backfill_id", "at"))

    async def mark(self, backfill_id: str, ticks: Sequence[BackfillTick]) -> None:
        """Say what became of nominal times; those that are not there are added."""
        async with self._engine.write() as connection:
            for begin in range(0, len(ticks), _CHUNK):
                rows = [_tick_row(backfill_id, tick) for tick in ticks[begin : begin + _CHUNK]]
                await upsert(connection, self._ticks, rows, key=("backfill_id", "at"))

    async def ticks(
        self,
        backfill_id: str,
        *,
        states: Iterable[str] | None = None,
        after: datetime | None = None,
        limit: int = 1000,
    ) -> list[BackfillTick]:
        """Return nominal times in order.

        Args:
            backfill_id: Of the backfill.
            states: Only these; all by default.
            after: Only later ones: the ``at`` of the last one of the page before.
            limit: How many at most.
        """
        table = self._ticks
        where = [table.c.backfill_id == backfill_id]
        if states is not None:
            where.append(table.c.state.in_(list(states)))
        if after is not None:
            where.append(table.c.at > seconds(after))
        query = select(table).where(*where).order_by(table.c.at).limit(limit)
        async with self._engine.read() as connection:
            return [_backfill_tick(row) for row in (await connection.execute(query)).mappings()]

    async def counts(self, backfill_id: str) -> Counter[str]:
        """Count the nominal times of a backfill by state."""
        table = self._ticks
        query = (
            select(table.c.state, func.count().label("ticks"))
            .where(table.c.backfill_id == backfill_id)
            .group_by(table.c.state)
        )
        async with self._engine.read() as connection:
            return Counter({row.state: row.ticks for row in await connection.execute(query)})


def _row(backfill: BackfillRow) -> dict[str, Any]:
    times = {name: maybe_seconds(getattr(backfill, name)) for name in _TIMES}
    return {**backfill.model_dump(exclude=set(_TIMES)), "options": dict(backfill.options), **times}


def _backfill(row: RowMapping) -> BackfillRow:
    fields = {name: value for name, value in row.items() if name not in _TIMES}
    return BackfillRow(**fields, **{name: maybe_from_seconds(row[name]) for name in _TIMES})


def _tick_row(backfill_id: str, tick: BackfillTick) -> dict[str, Any]:
    fields = {**tick.model_dump(), "at": seconds(tick.at)}
    return {"backfill_id": backfill_id, **fields, "updated_at": seconds(now())}


def _backfill_tick(row: RowMapping) -> BackfillTick:
    fields = {name: row[name] for name in ("state", "workflow_id", "run_id", "reason")}
    return BackfillTick(at=from_seconds(row["at"]), **fields)
