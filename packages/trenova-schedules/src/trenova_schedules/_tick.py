"""One expected fire of a schedule and what became of it."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class TickClass(StrEnum):
    """What became of a tick; each has exactly one."""

    ON_TIME = "on_time"
    """A run began within the margin."""
    LATE = "late"
    """A run began, but later than the margin allows."""
    DELAYED_OVERLAP = "delayed_overlap"
    """A run began only once the run before it had ended."""
    SKIPPED_OVERLAP = "skipped_overlap"
    """No run, as the overlap policy has it while another one is running."""
    MISSED_CATCHUP = "missed_catchup"
    """No run: nothing could start it in time, and then the catch-up window was over."""
    DROPPED_BUFFER = "dropped_buffer"
    """No run: the buffer of waiting starts was full."""
    PAUSED = "paused"
    """No run, as the schedule was paused."""
    PENDING = "pending"
    """No run yet, and one may still begin."""
    REAL_MISS = "real_miss"
    """No run, and nothing that we know explains it."""
    INCONCLUSIVE = "inconclusive"
    """No run, and what we know does not suffice to say why; the reason says what is missing."""


class Tick(BaseModel):
    """One expected fire of a schedule, as the ledger keeps it.

    Attributes:
        schedule_id: Of which schedule.
        at: When a run should have begun, jitter included; one tick per schedule and second.
        state: Its class.
        reason: Why it has this class, in a few words for people; empty where the class says it all.
        nominal_at: The time for which the run was meant, without jitter; what ``TemporalScheduledStartTime`` says.
        started_at: When the run began, rounded down to the second; None where there is none.
        closed_at: When it ended; None while it runs.
        workflow_id: Of the run.
        run_id: Of the run.
        status: Of the run when it was last seen, in Temporal's words, such as ``COMPLETED``.
        observed_at: When this was last found out.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    schedule_id: str
    at: AwareDatetime
    state: TickClass = Field(serialization_alias="class", validation_alias="class")
    reason: str = ""
    nominal_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    workflow_id: str | None = None
    run_id: str | None = None
    status: str | None = None
    observed_at: AwareDatetime

    @property
    def delay(self) -> timedelta | None:
        """How long after its time the run began."""
        return None if self.started_at is None else self.started_at - self.at

    @property
    def is_hole(self) -> bool:
        """Whether no run belongs to it, and none may still begin by itself."""
        return self.started_at is None and self.state is not TickClass.PENDING
