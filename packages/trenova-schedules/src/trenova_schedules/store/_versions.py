"""Which specification was in force when, and when a schedule was paused: what makes past ticks conclusive."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import delete, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._observation import Observation, edits_between
from trenova_schedules.store._times import maybe_from_seconds, maybe_seconds, seconds
from trenova_store import insert_missing, upsert


class SpecVersion(BaseModel):
    """A specification and policy with the time in which they were in force.

    Attributes:
        schedule_id: Of the schedule.
        from_at: Since when.
        to_at: Until when (excluded); None for the one in force. Where the next version begins later, nobody saw
            what was in force between.
        digest: SHA-256 over specification and policy, in hexadecimal.
        specification: Protobuf JSON of ``ScheduleSpec``.
        policy: Protobuf JSON of ``SchedulePolicies``.
        exact: Whether ``from_at`` is the server's own time of the change, not that of our first look afterwards.
        observed_at: When it was first seen.
    """

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    from_at: AwareDatetime
    to_at: AwareDatetime | None = None
    digest: str
    specification: Mapping[str, Any]
    policy: Mapping[str, Any]
    exact: bool
    observed_at: AwareDatetime


class PauseInterval(BaseModel):
    """A time in which a schedule was paused, between what is certain and what is possible.

    Attributes:
        schedule_id: Of the schedule.
        from_at: The earliest time at which it can have been paused.
        certain_from: Since when it certainly was.
        certain_to: Until when it certainly was; None if it is paused. Before ``certain_from``, nothing is certain.
        to_at: The latest time at which it can have been resumed; None if it is paused.
        note: What operators were told.
    """

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    from_at: AwareDatetime
    certain_from: AwareDatetime
    certain_to: AwareDatetime | None = None
    to_at: AwareDatetime | None = None
    note: str | None = None


class SpecVersions:
    """Versions and pauses, learnt by looking at schedules; whoever pauses one tells the audit trail.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._versions = engine.tables.versions
        self._pauses = engine.tables.pauses
        self._observations = engine.tables.observations

    async def observed(self, observation: Observation) -> None:
        """Take in one look at a schedule: a new version, a pause, a resumption, and its counters.

        A change seen between two looks began at the server's time of the last update if there was one change only,
        by the conflict token; otherwise nothing is claimed about the time between. A look older than one that was
        taken in already changes nothing.

        Args:
            observation: What the server said.
        """
        row = _observation_row(observation)
        async with self._engine.write() as connection:
            before = await self._last(connection, observation.schedule_id)
            if before is not None and before["at"] > row["at"]:
                return
            await self._take_version(connection, observation, before)
            await self._take_pause(connection, observation, before)
            await upsert(connection, self._observations, [row], key=("schedule_id", "at"))

    async def between(self, schedule_id: str, start: datetime, end: datetime) -> list[SpecVersion]:
        """Return the versions that were in force at any time from ``start`` to ``end`` (excluded), in order."""
        table = self._versions
        query = select(table).where(*_overlapping(table.c, schedule_id, start, end)).order_by(table.c.from_at)
        async with self._engine.read() as connection:
            return [_version(row) for row in (await connection.execute(query)).mappings()]

    async def pauses(self, schedule_id: str, start: datetime, end: datetime) -> list[PauseInterval]:
        """Return the pauses that are possible at any time from ``start`` to ``end`` (excluded), in order."""
        table = self._pauses
        query = select(table).where(*_overlapping(table.c, schedule_id, start, end)).order_by(table.c.from_at)
        async with self._engine.read() as connection:
            return [_pause(row) for row in (await connection.execute(query)).mappings()]

    async def open_pauses(self) -> Mapping[str, PauseInterval]:
        """Return the pause of each schedule that is paused, as far as is known, by id."""
        table = self._pauses
        async with self._engine.read() as connection:
            rows = (await connection.execute(select(table).where(table.c.to_at.is_(None)))).mappings()
            return {row["schedule_id"]: _pause(row) for row in rows}

    async def observations(self, schedule_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the counters of the last look before a time and of all looks since, as columns of the table."""
        table = self._observations
        mine = table.c.schedule_id == schedule_id
        first = select(table.c.at).where(mine, table.c.at <= seconds(since)).order_by(table.c.at.desc()).limit(1)
        async with self._engine.read() as connection:
            begin = (await connection.execute(first)).scalar() or seconds(since)
            query = select(table).where(mine, table.c.at >= begin).order_by(table.c.at)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def forget_observations(self, schedule_id: str, before: datetime) -> None:
        """Remove looks before a time, but for the last of them; versions and pauses stay."""
        table = self._observations
        mine = (table.c.schedule_id == schedule_id, table.c.at <= seconds(before))
        last = select(table.c.at).where(*mine).order_by(table.c.at.desc()).limit(1)
        async with self._engine.write() as connection:
            if (kept := (await connection.execute(last)).scalar()) is not None:
                await connection.execute(delete(table).where(mine[0], table.c.at < kept))

    async def _last(self, connection: AsyncConnection, schedule_id: str) -> RowMapping | None:
        table = self._observations
        query = select(table).where(table.c.schedule_id == schedule_id).order_by(table.c.at.desc()).limit(1)
        return (await connection.execute(query)).mappings().first()

    async def _take_version(self, connection: AsyncConnection, seen: Observation, before: RowMapping | None) -> None:
        if before is None:
            since = seconds(seen.updated_at or seen.created_at)
            await self._begin_version(connection, seen, since, exact=True)
            return
        looked, updated = before["at"], maybe_seconds(seen.updated_at)
        edits = edits_between(before["token"], seen.token)
        fresh = updated is not None and updated != before["updated_at"]
        if before["digest"] == seen.digest and (not fresh or edits == 1):
            return
        begun = updated if fresh and updated is not None else seconds(seen.at)
        ended = begun if fresh and edits == 1 else min(looked, begun)
        await self._end_version(connection, seen.schedule_id, ended)
        await self._begin_version(connection, seen, begun, exact=fresh)

    async def _begin_version(self, connection: AsyncConnection, seen: Observation, at: int, *, exact: bool) -> None:
        row = {
            "schedule_id": seen.schedule_id,
            "from_at": at,
            "to_at": None,
            "digest": seen.digest,
            "specification": dict(seen.specification),
            "policy": dict(seen.policy),
            "exact": exact,
            "observed_at": seconds(seen.at),
        }
        await upsert(connection, self._versions, [row], key=("schedule_id", "from_at"))

    async def _end_version(self, connection: AsyncConnection, schedule_id: str, at: int) -> None:
        table = self._versions
        statement = update(table).where(table.c.schedule_id == schedule_id, table.c.to_at.is_(None))
        await connection.execute(statement.values(to_at=at))

    async def _take_pause(self, connection: AsyncConnection, seen: Observation, before: RowMapping | None) -> None:
        at, updated = seconds(seen.at), maybe_seconds(seen.updated_at)
        looked = seconds(seen.created_at) if before is None else int(before["at"])
        edits = None if before is None else edits_between(before["token"], seen.token)
        changed = before is not None and updated != before["updated_at"]
        # The only write between two looks, and an update: then its time is that of the pause, too.
        exact = updated if edits == 1 and changed else None
        opened = await self._open_pause(connection, seen.schedule_id)
        if seen.paused and opened is None:
            await self._insert_pause(connection, seen, (exact or looked, exact or at))
        elif not seen.paused and opened is not None:
            certain = exact or max(looked, opened["certain_from"])
            await self._close_pause(connection, seen.schedule_id, certain_to=certain, to_at=exact or at)
        elif not seen.paused and edits is not None and edits > 1:
            await self._insert_pause(connection, seen, (looked, at), (looked, at))

    async def _insert_pause(
        self,
        connection: AsyncConnection,
        seen: Observation,
        begins: tuple[int, int],
        ends: tuple[int | None, int | None] = (None, None),
    ) -> None:
        """Insert a pause that begins between two times and ends between two others, unless one begins there already."""
        row = {"schedule_id": seen.schedule_id, "from_at": begins[0], "certain_from": begins[1]}
        row |= {"certain_to": ends[0], "to_at": ends[1], "note": seen.note or None}
        await insert_missing(connection, self._pauses, [row], key=("schedule_id", "from_at"))

    async def _open_pause(self, connection: AsyncConnection, schedule_id: str) -> RowMapping | None:
        table = self._pauses
        query = select(table).where(table.c.schedule_id == schedule_id, table.c.to_at.is_(None))
        return (await connection.execute(query)).mappings().first()

    async def _close_pause(self, connection: AsyncConnection, schedule_id: str, *, certain_to: int, to_at: int) -> None:
        table = self._pauses
        statement = update(table).where(table.c.schedule_id == schedule_id, table.c.to_at.is_(None))
        await connection.execute(statement.values(certain_to=certain_to, to_at=to_at))


def _overlapping(columns: Any, schedule_id: str, start: datetime, end: datetime) -> list[Any]:
    open_ended = columns.to_at.is_(None) | (columns.to_at > seconds(start))
    return [columns.schedule_id == schedule_id, columns.from_at < seconds(end), open_ended]


def _observation_row(seen: Observation) -> dict[str, Any]:
    counted = {"schedule_id", "token", "paused", "actions", "missed_catchup", "skipped_overlap"}
    counted |= {"buffer_dropped", "buffer_size"}
    times = {"at": seconds(seen.at), "updated_at": maybe_seconds(seen.updated_at)}
    return {**seen.model_dump(include=counted), **times, "digest": seen.digest}


def _version(row: RowMapping) -> SpecVersion:
    times = ("from_at", "to_at", "observed_at")
    fields = {name: value for name, value in row.items() if name not in times}
    return SpecVersion(**fields, **{name: maybe_from_seconds(row[name]) for name in times})


def _pause(row: RowMapping) -> PauseInterval:
    times = ("from_at", "certain_from", "certain_to", "to_at")
    return PauseInterval(
        schedule_id=row["schedule_id"], note=row["note"], **{name: maybe_from_seconds(row[name]) for name in times}
    )
