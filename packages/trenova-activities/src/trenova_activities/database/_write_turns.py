"""How many write transactions one process begins, so that many workers together do not overrun a small database."""

import asyncio
from datetime import timedelta

from aiolimiter import AsyncLimiter
from pydantic import BaseModel, ConfigDict, Field

from trenova_errors import ThrottledError


class WriteRate(BaseModel):
    """How many write transactions one worker process begins, those of the nightly jobs apart.

    Attributes:
        transactions: So many in each period, also at once.
        per_s: The period, seconds.
        wait_s: How long a transaction waits for its turn, seconds; then the activity is tried again later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transactions: int = Field(default=50, ge=1, le=100_000)
    per_s: float = Field(default=1, gt=0, le=3600)
    wait_s: float = Field(default=10, ge=0, le=60)


class WriteTurns:
    """Lets as many transactions begin as the database is to be given.

    Args:
        rate: How many; None lets all begin.
        where: The database, for messages.
    """

    def __init__(self, rate: WriteRate | None, where: str) -> None:
        self._rate = rate
        self._where = where
        self._limiter = None if rate is None else AsyncLimiter(rate.transactions, rate.per_s)

    async def wait(self) -> None:
        """Wait for a turn.

        Raises:
            ThrottledError: There was none in time; nothing was written.
        """
        if self._limiter is None or self._rate is None:
            return
        try:
            async with asyncio.timeout(self._rate.wait_s):
                await self._limiter.acquire()
        except TimeoutError:
            raise ThrottledError(
                f"The database {self._where} gets {self._rate.transactions} write transactions in "
                f"{self._rate.per_s:g} s from this worker, and more are waiting. Raise database.writes if it can take "
                "more.",
                retry_after=timedelta(seconds=max(1.0, self._rate.per_s)),
            ) from None
