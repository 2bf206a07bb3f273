"""What the query ``progress`` of a nightly run answers."""

from pydantic import Field

from trenova_activities._nightly_limits import RunLimits
from trenova_activities._steering_contract import Phase, Standstill, SteeringAction
from trenova_activities._wire import WireModel


class Counts(WireModel):
    """How many there are, and what came of them so far.

    Attributes:
        total: All that the run has to look at; absent while nobody has counted them.
        processed: Those that are finished: succeeded, failed and skipped.
        succeeded: Done as asked.
        failed: Given up; what was done there before stands.
        skipped: Left alone, by their own settings.
    """

    total: int | None = None
    processed: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0


class JobProgress(WireModel):
    """How far a nightly run is: as of its last finished call, which is at most some twenty seconds old.

    Attributes:
        job_type: E.g. ``cancel_shipments``.
        phase: ``running``; ``pausing`` and ``canceling`` until the batch under way is done; ``paused``; ``ended``.
        words: All of it in a line.
        tenants: Organizations (with their business units).
        rows: Rows changed, or counted in a dry run; they are counted as succeeded.
        organization: The organization that is being worked on; empty between two.
        rows_per_second: Rows by the time that calls took, pauses left out; absent before the first call.
        eta_seconds: Until the end at this rate; absent where the total or the rate is not known.
        oldest_at: The oldest row that is still to be done, unix seconds; absent where the job does not tell.
        braked: Why the run goes slowly for the sake of the database; empty if it does not.
        batch_size: Rows per transaction at the last call; absent where the job does not tell.
        limits: What somebody set while it ran; absent where nobody did.
        paused: By whom and why.
        canceled: By whom and why.
        calls: Calls of the activity so far.
        changes: How often the run was steered so far.
        actions: The last 20 of these changes, the oldest first.
        steerable: False for a run that an older version began and was told something then; its next run obeys.
    """

    job_type: str
    phase: Phase
    words: str
    tenants: Counts = Field(default_factory=Counts)
    rows: Counts = Field(default_factory=Counts)
    organization: str = ""
    rows_per_second: float | None = None
    eta_seconds: int | None = None
    oldest_at: int | None = None
    braked: str = ""
    batch_size: int | None = None
    limits: RunLimits | None = None
    paused: Standstill | None = None
    canceled: Standstill | None = None
    calls: int = 0
    changes: int = 0
    actions: list[SteeringAction] = Field(default_factory=list)
    steerable: bool = True
