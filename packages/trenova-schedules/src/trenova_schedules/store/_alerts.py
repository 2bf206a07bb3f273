"""How many ticks in a row were bad or good, so that each failure and each recovery is told once."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import from_seconds, maybe_from_seconds, maybe_seconds, now, seconds
from trenova_store import upsert

_EPOCH = 0


class AlertState(BaseModel):
    """Where a schedule stands against its objective.

    Attributes:
        schedule_id: Of the schedule.
        bad: Bad ticks in a row up to ``judged_to``.
        good: Good ticks in a row up to there.
        judged_to: The last tick that was judged; ticks up to it are not judged again.
        failing_since: The tick that made it failing; None while it is healthy.
    """

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    bad: int = 0
    good: int = 0
    judged_to: AwareDatetime = from_seconds(_EPOCH)
    failing_since: AwareDatetime | None = None


class AlertStates:
    """Alert states by schedule.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.alerts

    async def find(self, schedule_id: str) -> AlertState:
        """Return where a schedule stands; a healthy beginning if it was never judged."""
        table = self._table
        async with self._engine.read() as connection:
            row = (await connection.execute(select(table).where(table.c.schedule_id == schedule_id))).mappings().first()
        if row is None:
            return AlertState(schedule_id=schedule_id)
        return _state(row)

    async def failing(self) -> list[AlertState]:
        """Return the schedules that miss their objective, those that do so for longest first."""
        table = self._table
        query = select(table).where(table.c.failing_since.is_not(None)).order_by(table.c.failing_since)
        async with self._engine.read() as connection:
            return [_state(row) for row in (await connection.execute(query)).mappings()]

    async def keep(self, state: AlertState, *, at: datetime | None = None) -> None:
        """Store where a schedule stands; a state that was judged up to an earlier tick is passed over."""
        row = {
            "schedule_id": state.schedule_id,
            "bad": state.bad,
            "good": state.good,
            "judged_to": seconds(state.judged_to),
            "failing_since": maybe_seconds(state.failing_since),
            "updated_at": seconds(at or now()),
        }
        async with self._engine.write() as connection:
            await upsert(connection, self._table, [row], key=("schedule_id",), newer="judged_to")


def _state(row: RowMapping) -> AlertState:
    return AlertState(
        schedule_id=row["schedule_id"],
        bad=row["bad"],
        good=row["good"],
        judged_to=from_seconds(row["judged_to"]),
        failing_since=maybe_from_seconds(row["failing_since"]),
    )
