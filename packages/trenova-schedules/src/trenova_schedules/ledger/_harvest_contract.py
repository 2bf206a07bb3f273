"""What the harvest is asked for and what it answers; camelCase on the wire."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class HarvestResult(_Wire):
    """What a harvest has done so far.

    Attributes:
        schedules: Schedules that were harvested.
        gone: Of the known ones, those that were found to be deleted.
        ticks: Ticks that were written, also such as were known and have not changed.
        alerts: Failures and recoveries that were told.
        failed: Schedules that could not be harvested; the next harvest takes them up where this one did.
        first_failed: Ids of the first twenty of these.
    """

    schedules: int = 0
    gone: int = 0
    ticks: int = 0
    alerts: int = 0
    failed: int = 0
    first_failed: tuple[str, ...] = ()

    def plus(self, other: "HarvestResult") -> "HarvestResult":
        """Add up two parts."""
        return HarvestResult(
            schedules=self.schedules + other.schedules,
            gone=self.gone + other.gone,
            ticks=self.ticks + other.ticks,
            alerts=self.alerts + other.alerts,
            failed=self.failed + other.failed,
            first_failed=(*self.first_failed, *other.first_failed)[:20],
        )


class HarvestPayload(_Wire):
    """What to harvest.

    Attributes:
        page_size: How many schedules one activity takes.
        pages_per_run: After how many pages the workflow continues as new.
        after: Where to go on, by schedule id; None to begin with a look at which schedules there are.
        so_far: What runs before this one have done.
    """

    page_size: int = Field(default=50, ge=1, le=1000)
    pages_per_run: int = Field(default=100, ge=1, le=1000)
    after: str | None = None
    so_far: HarvestResult = HarvestResult()


class HarvestPageRequest(_Wire):
    """One page.

    Attributes:
        after: The schedule id after which to begin.
        limit: How many schedules.
    """

    after: str = ""
    limit: int = 50


class HarvestPageResult(_Wire):
    """What became of a page.

    Attributes:
        done: The counts of this page.
        next_after: Where the next page begins; None after the last.
    """

    done: HarvestResult
    next_after: str | None = None
