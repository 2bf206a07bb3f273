"""How a pool is scaled: what a person sets."""

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from trenova_workers.routing._problems import Problem, in_words
from trenova_workers.scaling._document import ScalingDocument


class ScalingPolicy(ScalingDocument):
    """How a pool is scaled. The defaults suit a queue of short tasks and workers that start in seconds.

    Settings that would make a pool swing are refused, all at once, each with what to write instead.

    Attributes:
        min_workers: Never fewer. 0 allows a pool without workers while there is nothing to do.
        max_workers: Never more.
        wait_target_s: Seconds within which 95 of 100 tasks shall start; the outer loop keeps to it.
        utilization: Share of their capacity that workers are sized for, at the headroom below.
        headroom: Workers to spare, as a multiple of the square root of the offered load (beta). The outer loop moves
            it between its bounds, and ``utilization`` with it: 0.5 is the published value of both.
        headroom_min: Its lower bound.
        headroom_max: Its upper bound.
        headroom_up: By how much it rises after each window from the second on whose waits were over the target.
        headroom_down: By how much it falls after a window whose waits were well within it.
        window_s: Seconds of such a window.
        poll_s: Seconds between two observations. The server answers the same for 5 s.
        smoothing_s: Seconds in which a change of the rates counts by about two thirds.
        start_s: Seconds from the start of a worker to its first task, as a rule.
        catch_up_s: Seconds in which what waits shall be worked off; ``wait_target_s`` unless given.
        first_capacity: Tasks per second that one worker can do, until it has been seen. Unless given, a pool of which
            nothing is known grows by steps.
        up_step: Workers that may be added at once.
        up_factor: Or so many times as many as there are, if that is more.
        up_cooldown_s: Seconds between two such raises. Calendars and people may raise by more, and at any time.
        down_step: Workers that may be taken away at once.
        down_share: Or this share of those that there are, rounded down, if that is more.
        down_cooldown_s: Seconds since the last change before workers are taken away.
        quiet_s: Seconds without work that waited before workers are taken away.
        regret_s: Seconds for which workers stay that were given back just after a lowering, unless the load falls.
        zero_polls: Observations in a row without anything to do before the last worker is taken away.
        horizon_s: Seconds ahead that calendars are looked at. Workers are started for a fire as late as they may be,
            and none is taken away that a fire within this time needs. 0 for never.
        stale_s: Figures older than this many seconds are no ground for a change.
        gap_s: After this many seconds without an observation the next one only begins anew.
    """

    model_config = ConfigDict(extra="forbid")

    min_workers: int = Field(default=1, ge=0)
    max_workers: int = Field(default=10, ge=1, le=10_000)
    wait_target_s: float = Field(default=30, gt=0, allow_inf_nan=False)
    utilization: float = Field(default=0.8, gt=0, lt=1)
    headroom: float = Field(default=0.5, ge=0, le=10)
    headroom_min: float = Field(default=0.1, ge=0, le=10)
    headroom_max: float = Field(default=2, ge=0, le=10)
    headroom_up: float = Field(default=0.25, gt=0, le=5)
    headroom_down: float = Field(default=0.1, gt=0, le=5)
    window_s: float = Field(default=60, gt=0, allow_inf_nan=False)
    poll_s: float = Field(default=10, ge=5, allow_inf_nan=False)
    smoothing_s: float = Field(default=15, ge=0, allow_inf_nan=False)
    start_s: float = Field(default=10, ge=0, allow_inf_nan=False)
    catch_up_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    first_capacity: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    up_step: int = Field(default=4, ge=1)
    up_factor: float = Field(default=4, ge=1, allow_inf_nan=False)
    up_cooldown_s: float = Field(default=5, ge=0, allow_inf_nan=False)
    down_step: int = Field(default=1, ge=1)
    down_share: float = Field(default=0.25, ge=0, le=0.5)
    down_cooldown_s: float = Field(default=60, gt=0, allow_inf_nan=False)
    quiet_s: float = Field(default=90, ge=0, allow_inf_nan=False)
    regret_s: float = Field(default=600, ge=0, allow_inf_nan=False)
    zero_polls: int = Field(default=3, ge=2)
    horizon_s: float = Field(default=120, ge=0, allow_inf_nan=False)
    stale_s: float = Field(default=30, gt=0, allow_inf_nan=False)
    gap_s: float = Field(default=120, gt=0, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: object) -> object:
        if isinstance(value, bool):  # which would count as 1 or 0
            raise PydanticCustomError("no_number", "is {told}; write a number", {"told": str(value).lower()})
        return value

    @model_validator(mode="before")
    @classmethod
    def _say_each_once(cls, told: object) -> object:
        if isinstance(told, dict):
            for name, field in cls.model_fields.items():
                if name != field.alias and name in told and field.alias in told:
                    what = f"{field.alias!r} is the same and given too"
                    problem = Problem("", name, told[name], what, "Keep one of them.")
                    raise PydanticCustomError("said_twice", "{said}", {"said": str(problem), "problems": [problem]})
        return told

    @model_validator(mode="after")
    def _hold_together(self) -> "ScalingPolicy":
        from trenova_workers.scaling._policy_checks import problems_of

        found = problems_of(self)
        if found:
            raise PydanticCustomError("scaling_policy", "{said}", {"said": in_words(found), "problems": found})
        return self

    @property
    def calm_wait_s(self) -> float:
        """Seconds of waiting up to which there is nothing to do about it: a quarter of the target."""
        return self.wait_target_s / 4

    @property
    def lead_s(self) -> float:
        """Seconds before a fire within which its workers are asked for: they start, and one poll may be late."""
        return self.start_s + 1.5 * self.poll_s

    @property
    def catches_up_s(self) -> float:
        """``catch_up_s`` in force."""
        return self.wait_target_s if self.catch_up_s is None else self.catch_up_s
