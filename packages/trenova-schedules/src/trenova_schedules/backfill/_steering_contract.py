"""What a run under way may be told, what it answers, and what it remembers of it."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from trenova_schedules.backfill._limits import MAX_CONCURRENCY, MAX_RATE, BackfillLimits
from trenova_schedules.backfill._wire import ExactWireModel, WireModel

MOST_ACTIONS: Final = 20
"""Changes that a run remembers in full."""

MOST_UPDATE_IDS: Final = 256
"""Ids of updates that a run recognises when they come again after a continue-as-new."""

_MOST_OF_A_REASON: Final = 500
_MOST_OF_A_NAME: Final = 100

Action = Literal["pause", "resume", "cancel", "changeLimits"]
Phase = Literal["running", "pausing", "paused", "canceling", "ended"]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return value.strip()


Reason = Annotated[str, Field(max_length=_MOST_OF_A_REASON), AfterValidator(_not_blank)]
Name = Annotated[str, Field(max_length=_MOST_OF_A_NAME), AfterValidator(_not_blank)]


class PauseRequest(ExactWireModel):
    """Stop after the call under way, and hold until somebody resumes.

    Attributes:
        reason: Why, for whoever looks; 1 to 500 characters.
        by: Who asks, as they say; 1 to 100 characters.
    """

    reason: Reason
    by: Name


class ResumeRequest(ExactWireModel):
    """Go on where the run stands.

    Attributes:
        by: Who asks, as they say.
    """

    by: Name


class CancelRequest(ExactWireModel):
    """End the backfill after the call under way.

    Attributes:
        runs: ``leave`` the runs that it started alone, or ``cancel`` those that have not ended.
        reason: Why, for whoever looks; 1 to 500 characters.
        by: Who asks, as they say.
    """

    reason: Reason
    by: Name
    runs: Literal["leave", "cancel"] = "leave"


class LimitsRequest(ExactWireModel):
    """Change how fast the backfill may be, from its next call on, thus within some ten seconds.

    What is absent stays as it is; 0 goes back to what the backfill was started with.

    Attributes:
        rate_per_second: Starts per second at most, up to 1,000.
        concurrency: Runs that may be open at once, up to 200.
        by: Who asks, as they say.
    """

    rate_per_second: Annotated[float, Field(ge=0, le=MAX_RATE)] | None = None
    concurrency: Annotated[int, Field(ge=0, le=MAX_CONCURRENCY)] | None = None
    by: Name


class Actor(WireModel):
    """Who asked.

    Attributes:
        name: As given.
        verified: The name comes from an authenticated interface; otherwise it is what the caller claims to be called.
    """

    name: str
    verified: bool = False

    @property
    def words(self) -> str:
        """The name, and that it is a claim where it is one."""
        return self.name if self.verified else f"{self.name} (claimed)"


class Standstill(WireModel):
    """Why a run holds, or is being canceled.

    Attributes:
        at: Unix seconds, by the workflow's clock.
    """

    reason: str
    by: Actor
    at: int


class SteeringAction(WireModel):
    """One change that was applied.

    Attributes:
        number: Counts the changes of the whole run, from 1.
        action: What was asked.
        by: Who asked.
        at: Unix seconds, by the workflow's clock.
        words: What was changed, and why.
        through: An ``update``, whose caller has an answer, or a ``signal``.
    """

    number: int
    action: Action
    by: Actor
    at: int
    words: str
    through: Literal["update", "signal"] = "update"


class SteeringState(WireModel):
    """What a run carries through continue-as-new; made by the workflow, never by callers.

    Attributes:
        changes: Changes applied so far, over the whole chain of runs.
        paused: Set while it is to hold.
        canceled: Set once it is to end.
        cancel_runs: Whether its end cancels the runs that it started.
        limits: What applies from the next call on.
        actions: The last 20 changes, the oldest first.
        update_ids: The last 256 ids of updates that were answered, the oldest first, each with the number of its change
            or 0 if it changed nothing: an update is known by its id within one run only, not over the chain.
    """

    changes: int = 0
    paused: Standstill | None = None
    canceled: Standstill | None = None
    cancel_runs: bool = False
    limits: BackfillLimits | None = None
    actions: list[SteeringAction] = Field(default_factory=list)
    update_ids: dict[str, int] = Field(default_factory=dict)


class SteeringAnswer(WireModel):
    """What came of a request.

    Attributes:
        applied: It changed something. A pause of a run that is paused does not, and is no error.
        number: Of the change, over the whole chain of runs; absent if nothing was changed.
        result: One sentence for a person.
        paused: Why the run holds, if it does.
        limits: What applies from the next call on; absent where nothing was changed since the start.
        changes: Changes applied so far.
    """

    applied: bool
    number: int | None = None
    result: str
    paused: Standstill | None = None
    limits: BackfillLimits | None = None
    changes: int = 0
