"""Options of the slots: what a worker may have in hand at once, per kind of work."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trenova_workers._tuning._impossible import impossible

SlotKind = Literal["activities", "workflow_tasks", "local_activities"]
"""What a slot is for."""

MOST_SLOTS = 10_000
"""A worker with more is a mistake in a setting."""


class FixedSlots(BaseModel):
    """So many and never more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fixed"] = "fixed"
    """How slots of this kind are given: a fixed number, one that a reload may change, or by the load of the machine."""
    slots: int = Field(default=100, ge=1, le=MOST_SLOTS)
    """Tasks of this kind that run at once."""


class ResizableSlots(BaseModel):
    """So many until SIGHUP brings another number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["resizable"] = "resizable"
    """See :class:`FixedSlots`."""
    slots: int = Field(default=100, ge=1, le=MOST_SLOTS)
    """Tasks of this kind that run at once, until a reload brings another number."""


class ResourceSlots(BaseModel):
    """As many as processor and memory of the machine bear, within a range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["resource"] = "resource"
    """How slots of this kind are given; ``resource`` is by the load of the machine."""
    minimum: int = Field(default=5, ge=1, le=MOST_SLOTS)
    """Slots given whatever the load."""
    maximum: int = Field(default=500, ge=1, le=MOST_SLOTS)
    """The most slots; what the process must be able to bear."""
    ramp_ms: float = Field(default=50, ge=0, le=60_000, allow_inf_nan=False)
    """Milliseconds between two slots above ``minimum``: 50 starts at most 20 a second."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum > self.maximum:
            fix = f"Set it to at most {self.maximum}"
            raise impossible("minimum", self.minimum, f"is above maximum ({self.maximum})", fix)
        return self


Slots = Annotated[FixedSlots | ResizableSlots | ResourceSlots, Field(discriminator="kind")]


class FixedTuner(BaseModel):
    """``max_activities``, ``max_workflow_tasks`` and ``max_local_activities`` as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fixed"] = "fixed"
    """``fixed`` and ``resizable`` take the three numbers, ``resource`` the load, ``composite`` a way for each kind."""


class ResizableTuner(BaseModel):
    """The same three numbers, read again at SIGHUP. Costs a call into Python per task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["resizable"] = "resizable"
    """See :class:`FixedTuner`."""
    ceiling: int = Field(default=1000, ge=1, le=MOST_SLOTS)
    """The most activity slots that a reload may bring; threads for so many can be made."""


class ResourceTuner(BaseModel):
    """Slots by the load of the machine, in place of the three numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["resource"] = "resource"
    """See :class:`FixedTuner`."""
    target_cpu: float = Field(default=0.9, gt=0, le=1)
    """Share of the processor above which no further slot is given."""
    target_memory: float = Field(default=0.8, gt=0, le=1)
    """Share of the memory above which no further slot is given; more than 0.8 risks being killed for it."""
    activities: ResourceSlots = ResourceSlots(minimum=1)
    workflow_tasks: ResourceSlots = ResourceSlots(ramp_ms=0)
    local_activities: ResourceSlots = ResourceSlots(minimum=1)


class CompositeTuner(BaseModel):
    """Another way for each kind of slot, in place of the three numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["composite"] = "composite"
    """See :class:`FixedTuner`."""
    target_cpu: float = Field(default=0.9, gt=0, le=1)
    """As of ``resource``; for those kinds that are by resource."""
    target_memory: float = Field(default=0.8, gt=0, le=1)
    activities: Slots = FixedSlots()
    workflow_tasks: Slots = FixedSlots()
    local_activities: Slots = FixedSlots()
    ceiling: int = Field(default=1000, ge=1, le=MOST_SLOTS)
    """The most activity slots that a reload may bring, if activities are resizable."""


Tuner = Annotated[FixedTuner | ResizableTuner | ResourceTuner | CompositeTuner, Field(discriminator="kind")]
