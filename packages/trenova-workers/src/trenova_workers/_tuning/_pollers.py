"""How many polls a worker keeps open at the server."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from temporalio.worker import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum

from trenova_workers._tuning._impossible import impossible


class FixedPollers(BaseModel):
    """At most so many polls at once; each holds a slot while it waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fixed"] = "fixed"
    """``fixed`` keeps the same number of polls open, ``autoscaling`` as many as the server says would help."""
    count: int = Field(default=5, ge=1, le=1000)
    """Polls open at once; for workflow tasks at least 2 while workflows are cached."""

    def behavior(self) -> PollerBehavior:
        """Return what ``temporalio.worker.Worker`` takes."""
        return PollerBehaviorSimpleMaximum(maximum=self.count)


class AutoscalingPollers(BaseModel):
    """The server says whether more or fewer polls would help. The defaults are the SDK's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["autoscaling"] = "autoscaling"
    """See :class:`FixedPollers`."""
    minimum: int = Field(default=1, ge=1, le=1000)
    """Polls that stay open while slots are free."""
    maximum: int = Field(default=100, ge=1, le=1000)
    """The most polls open at once."""
    initial: int = Field(default=5, ge=1, le=1000)
    """Polls at the start, before the server has said anything."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.minimum, self.maximum
        if low > high:
            raise impossible("minimum", low, f"is above maximum ({high})", f"Set it to at most {high}")
        if not low <= self.initial <= high:
            raise impossible(
                "initial",
                self.initial,
                f"is not between minimum ({low}) and maximum ({high})",
                f"Set it to a number from {low} to {high}",
            )
        return self

    def behavior(self) -> PollerBehavior:
        """Return what ``temporalio.worker.Worker`` takes."""
        return PollerBehaviorAutoscaling(minimum=self.minimum, maximum=self.maximum, initial=self.initial)


Pollers = Annotated[FixedPollers | AutoscalingPollers, Field(discriminator="kind")]
