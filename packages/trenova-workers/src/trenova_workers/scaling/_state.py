"""What is carried from one decision to the next."""

from pydantic import AwareDatetime, Field

from trenova_workers.scaling._document import ScalingDocument


class SlotsSeen(ScalingDocument):
    """How busy the workers were at one look.

    Attributes:
        at: When that was true.
        busy: Workers whose slots were all in use, or so many of which together came to that.
    """

    at: AwareDatetime
    busy: float = Field(ge=0, allow_inf_nan=False)


class ScalingState(ScalingDocument):
    """What is carried from one decision to the next; the empty one is that of a pool that is new.

    Keep that of the last decision beside it, so that a manager that starts anew goes on where the last one was.

    Attributes:
        at: Moment of the last observation that was judged.
        read_at: Moment of the figures that were last learnt from.
        arrival_rate: Tasks per second, smoothed.
        rates_since: Since when rates were looked at; None if never.
        told_rate: Tasks per second, as last told; None after a gap.
        usual_rate: Their mean over the last minutes.
        rate_variance: Of means over half a minute, in tasks per second squared. A load in batches has a large one.
        capacity: Tasks per second that one worker can do, smoothed (mu).
        slots_seen: How busy workers were at the looks of the last half minute, oldest first.
        backlog: Tasks that waited at the last look that was learnt from.
        served: Tasks per second that the running workers could do then; None if that was not known.
        came: Tasks per second that must have come since the look before, as tasks waited; None if few or none did.
        disturbed_at: When a dependency was last down or the queue was held to its rate limit; None if never.
        headroom: In force, as the outer loop has moved it; None is that of the policy.
        window_started_at: When the window began in which waits are compared with their target.
        window_wait_s: Seconds, the longest wait of that window so far.
        windows_over: Windows in a row whose wait was over the target.
        idle_polls: Observations in a row in which there was nothing at all to do.
        pressed_at: When work last found no free worker, or waited; None if never.
        raised_at: When the number was last raised; None if never.
        heap: Whether workers were added for a heap of work that will be done: they may leave together, sooner.
        lowered_at: When it was last lowered; None if never.
        desired: What was last decided; None before the first decision.
        regretted: A number known to be too small, as of a raise from where the pool had settled; None if none is.
        regretted_rate: Tasks per second that came then, as a rule.
        regretted_at: When that was.
        given_back: How many there were to be after that raise, without those for a heap; None unless it took a lowering
            back.
    """

    at: AwareDatetime | None = None
    read_at: AwareDatetime | None = None
    arrival_rate: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    rates_since: AwareDatetime | None = None
    told_rate: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    usual_rate: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    rate_variance: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    capacity: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    slots_seen: tuple[SlotsSeen, ...] = ()
    backlog: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    served: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    came: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    disturbed_at: AwareDatetime | None = None
    headroom: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    window_started_at: AwareDatetime | None = None
    window_wait_s: float = Field(default=0, ge=0, allow_inf_nan=False)
    windows_over: int = Field(default=0, ge=0)
    idle_polls: int = Field(default=0, ge=0)
    pressed_at: AwareDatetime | None = None
    raised_at: AwareDatetime | None = None
    heap: bool = False
    lowered_at: AwareDatetime | None = None
    desired: int | None = Field(default=None, ge=0)
    regretted: int | None = Field(default=None, ge=0)
    regretted_rate: float = Field(default=0, ge=0, allow_inf_nan=False)
    regretted_at: AwareDatetime | None = None
    given_back: int | None = Field(default=None, ge=0)
