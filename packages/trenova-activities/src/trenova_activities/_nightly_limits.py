"""How fast a nightly run may be."""

from typing import Annotated, Final

from pydantic import Field

from trenova_activities._wire import WireModel

MAX_BATCH: Final = 10_000
"""Rows that one transaction may change."""


class RunLimits(WireModel):
    """What somebody set while the run was under way; absent is what it was started with.

    Attributes:
        batch_size: Rows per transaction at most; how long batches last may make them smaller.
        rows_per_second: Rows per second at most, on average over half a second.
    """

    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] | None = None
    rows_per_second: Annotated[int, Field(ge=1)] | None = None

    @property
    def words(self) -> str:
        """What is limited, for a person."""
        said = [f"{self.batch_size:,} rows per batch"] if self.batch_size else []
        said += [f"{self.rows_per_second:,} rows per second"] if self.rows_per_second else []
        return ", ".join(said) or "as the run was started"
