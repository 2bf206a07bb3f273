"""Exact times of pauses, told by whoever paused."""

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_store import insert_missing


async def open_pause(connection: AsyncConnection, pauses: Table, schedule_id: str, at: int) -> None:
    """Begin a pause; nothing if the schedule counts as paused already."""
    opened = select(pauses.c.from_at).where(pauses.c.schedule_id == schedule_id, pauses.c.to_at.is_(None))
    if (await connection.execute(opened)).first() is None:
        row = {"schedule_id": schedule_id, "from_at": at, "certain_from": at}
        await insert_missing(connection, pauses, [row], key=("schedule_id", "from_at"))


async def close_pause(connection: AsyncConnection, pauses: Table, schedule_id: str, at: int) -> None:
    """End the pause of a schedule; nothing if it does not count as paused."""
    statement = update(pauses).where(pauses.c.schedule_id == schedule_id, pauses.c.to_at.is_(None))
    await connection.execute(statement.values(certain_to=at, to_at=at))
