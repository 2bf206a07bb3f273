"""When a nightly run needs a plan that people have agreed to."""

from pydantic import BaseModel, ConfigDict, Field


class PlanOptions(BaseModel):
    """Rules for plans of one job; frozen.

    Attributes:
        require_plan_above: Rows. A run that would change more needs the hash of an approved plan, or stops before it
            touches anything. None: no run needs one. 0: each does that would change anything.
        two_person: The approval counts only if it is of somebody else than who made the plan.
        stale_after_days: A plan that is older, by the database's clock, begins no run any more; a run that has begun
            goes on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    require_plan_above: int | None = Field(default=None, ge=0)
    two_person: bool = True
    stale_after_days: int = Field(default=7, ge=1, le=365)
