"""The clock of the database, which all managers share; those of their machines may differ."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ASK = {
    "sqlite": "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgresql": "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}


async def database_ms(connection: AsyncConnection) -> int:
    """Return unix milliseconds by the clock of the database, of now and not of the transaction's begin."""
    return int((await connection.execute(text(_ASK[connection.dialect.name]))).scalar_one())


def from_ms(at: int) -> datetime:
    """Return an aware datetime in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC)


def to_ms(at: datetime) -> int:
    """Return unix milliseconds, rounded down."""
    return int(at.timestamp() * 1000 // 1)
