"""The ledger: one row per expected tick."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import from_seconds, maybe_from_seconds, maybe_seconds, seconds
from trenova_store import upsert

_CHUNK = 1000
_KEY = ("schedule_id", "at")


@dataclass(frozen=True)
class TickSpan:
    """Ticks of one class.

    Attributes:
        count: How many.
        first: The first of them.
        last: The last.
        delay: The longest time from when one was due to when its run began; None where they have no runs.
    """

    count: int
    first: datetime
    last: datetime
    delay: timedelta | None = None


class TickLedger:
    """Ticks by schedule and time.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.ticks

    async def upsert(self, ticks: Sequence[Tick]) -> None:
        """Write ticks; writing the same again, or something older than what is there, changes nothing.

        Raises:
            UnavailableError: The store cannot be reached.
        """
        async with self._engine.write() as connection:
            await self._write(connection, ticks)

    async def replace(self, schedule_id: str, start: datetime, end: datetime, ticks: Sequence[Tick]) -> None:
        """Write the ticks of a schedule, and remove those that are no longer expected.

        Args:
            schedule_id: Of which schedule.
            start: The first time that was looked at.
            end: The first that was not: ticks between that were pending or inconclusive and are not among those given
                are removed; no other ones are.
            ticks: What was found.
        """
        table = self._table
        expected = {seconds(tick.at) for tick in ticks}
        async with self._engine.write() as connection:
            await self._write(connection, ticks)
            found = (await connection.execute(self._open(schedule_id, start, end))).scalars().all()
            gone = [at for at in found if at not in expected]
            for begin in range(0, len(gone), _CHUNK):
                where = (table.c.schedule_id == schedule_id, table.c.at.in_(gone[begin : begin + _CHUNK]))
                await connection.execute(delete(table).where(*where))

    async def _write(self, connection: AsyncConnection, ticks: Sequence[Tick]) -> None:
        for begin in range(0, len(ticks), _CHUNK):
            rows = [_row(tick) for tick in ticks[begin : begin + _CHUNK]]
            await upsert(connection, self._table, rows, key=_KEY, newer="observed_at")

    async def read(
        self,
        schedule_id: str,
        start: datetime,
        end: datetime,
        *,
        states: Iterable[TickClass] | None = None,
        limit: int = 10_000,
    ) -> list[Tick]:
        """Return the ticks of a schedule in order of time.

        Args:
            schedule_id: Of which schedule.
            start: The first time that counts.
            end: The first that no longer counts.
            states: Only these classes; all by default.
            limit: How many at most, the earliest first; go on from a second after the last one's ``at``.
        """
        table = self._table
        where = [table.c.schedule_id == schedule_id, table.c.at >= seconds(start), table.c.at < seconds(end)]
        if states is not None:
            where.append(table.c.state.in_([str(state) for state in states]))
        async with self._engine.read() as connection:
            rows = (await connection.execute(select(table).where(*where).order_by(table.c.at).limit(limit))).mappings()
            return [_tick(row) for row in rows]

    async def spans(
        self, start: datetime, end: datetime, *, states: Iterable[TickClass], ran: bool = False
    ) -> Mapping[str, Mapping[TickClass, TickSpan]]:
        """Return how many ticks of these classes there were, and from when to when, by schedule and class.

        Args:
            start: The first time that counts.
            end: The first that no longer counts.
            states: The classes.
            ran: Those with a run, in place of those without one.
        """
        table = self._table
        started, late = table.c.started_at, func.max(table.c.started_at - table.c.at)
        query = (
            select(table.c.schedule_id, table.c.state, func.count(), func.min(table.c.at), func.max(table.c.at), late)
            .where(table.c.at >= seconds(start), table.c.at < seconds(end))
            .where(started.is_not(None) if ran else started.is_(None))
            .where(table.c.state.in_([str(state) for state in states]))
            .group_by(table.c.schedule_id, table.c.state)
        )
        found: dict[str, dict[TickClass, TickSpan]] = {}
        async with self._engine.read() as connection:
            for schedule_id, state, count, first, last, delay in await connection.execute(query):
                length = None if delay is None else timedelta(seconds=int(delay))
                span = TickSpan(count, from_seconds(first), from_seconds(last), length)
                found.setdefault(schedule_id, {})[TickClass(state)] = span
        return found

    async def latest(self, schedule_ids: Sequence[str], *, before: datetime, count: int) -> Mapping[str, list[Tick]]:
        """Return the last ticks of several schedules, each in order of time.

        Args:
            schedule_ids: At most some hundreds.
            before: Only ticks before this time.
            count: How many of each at most.
        """
        table = self._table
        number = func.row_number().over(partition_by=table.c.schedule_id, order_by=table.c.at.desc()).label("number")
        inner = (
            select(table, number)
            .where(table.c.schedule_id.in_(list(schedule_ids)), table.c.at < seconds(before))
            .subquery()
        )
        query = select(inner).where(inner.c.number <= count).order_by(inner.c.schedule_id, inner.c.at)
        found: dict[str, list[Tick]] = {}
        async with self._engine.read() as connection:
            for row in (await connection.execute(query)).mappings():
                found.setdefault(row["schedule_id"], []).append(_tick(row))
        return found

    async def observed(self) -> datetime | None:
        """Return when a tick was found out about last; None where none ever was."""
        async with self._engine.read() as connection:
            query = select(func.max(self._table.c.observed_at))
            return maybe_from_seconds((await connection.execute(query)).scalar())

    async def first(self, schedule_id: str) -> datetime | None:
        """Return the earliest tick that is known of a schedule; None where there is none."""
        query = select(func.min(self._table.c.at)).where(self._table.c.schedule_id == schedule_id)
        async with self._engine.read() as connection:
            return maybe_from_seconds((await connection.execute(query)).scalar())

    async def summary(
        self, start: datetime, end: datetime, *, schedule_ids: Iterable[str] | None = None
    ) -> Mapping[str, Counter[TickClass]]:
        """Count ticks by schedule and class, from ``start`` to ``end`` (excluded).

        Args:
            start: The first time that counts.
            end: The first that no longer counts.
            schedule_ids: Only these schedules, at most some hundreds; all by default.
        """
        table = self._table
        where = [table.c.at >= seconds(start), table.c.at < seconds(end)]
        if schedule_ids is not None:
            where.append(table.c.schedule_id.in_(list(schedule_ids)))
        query = select(table.c.schedule_id, table.c.state, func.count()).where(*where)
        found: dict[str, Counter[TickClass]] = {}
        async with self._engine.read() as connection:
            for schedule_id, state, count in await connection.execute(
                query.group_by(table.c.schedule_id, table.c.state).order_by(table.c.schedule_id)
            ):
                found.setdefault(schedule_id, Counter())[TickClass(state)] = count
        return found

    def _open(self, schedule_id: str, start: datetime, end: datetime) -> Select[int]:
        table = self._table
        return select(table.c.at).where(
            table.c.schedule_id == schedule_id,
            table.c.at >= seconds(start),
            table.c.at < seconds(end),
            table.c.state.in_([str(TickClass.PENDING), str(TickClass.INCONCLUSIVE)]),
        )


def _row(tick: Tick) -> dict[str, object]:
    return {
        "schedule_id": tick.schedule_id,
        "at": seconds(tick.at),
        "state": str(tick.state),
        "reason": tick.reason,
        "nominal_at": maybe_seconds(tick.nominal_at),
        "started_at": maybe_seconds(tick.started_at),
        "closed_at": maybe_seconds(tick.closed_at),
        "workflow_id": tick.workflow_id,
        "run_id": tick.run_id,
        "status": tick.status,
        "observed_at": seconds(tick.observed_at),
    }


def _tick(row: RowMapping) -> Tick:
    return Tick.model_validate(
        {
            "schedule_id": row["schedule_id"],
            "at": from_seconds(row["at"]),
            "class": row["state"],
            "reason": row["reason"],
            "nominal_at": maybe_from_seconds(row["nominal_at"]),
            "started_at": maybe_from_seconds(row["started_at"]),
            "closed_at": maybe_from_seconds(row["closed_at"]),
            "workflow_id": row["workflow_id"],
            "run_id": row["run_id"],
            "status": row["status"],
            "observed_at": from_seconds(row["observed_at"]),
        }
    )
