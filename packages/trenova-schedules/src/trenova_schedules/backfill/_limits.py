"""How fast a backfill may be."""

from typing import Annotated, Final

from pydantic import Field

from trenova_schedules.backfill._wire import WireModel

MAX_RATE: Final = 1_000.0
"""Starts per second; one client reaches some hundreds."""

MAX_CONCURRENCY: Final = 200
"""Runs that are watched at once, each by a request that waits at the server."""


class BackfillLimits(WireModel):
    """What somebody set while the backfill was under way; absent is what it was started with.

    Attributes:
        rate_per_second: Starts per second at most.
        concurrency: Runs that may be open at once.
    """

    rate_per_second: Annotated[float, Field(gt=0, le=MAX_RATE)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)] | None = None

    @property
    def words(self) -> str:
        """What is limited, for a person."""
        said = [f"{self.rate_per_second:,g} starts per second"] if self.rate_per_second else []
        said += [f"{self.concurrency:,} runs at once"] if self.concurrency else []
        return ", ".join(said) or "as the backfill was started"
