"""What the form of a backfill sends."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from trenova_errors import ConflictError
from trenova_schedules._managing._changing import valid
from trenova_schedules.backfill import BackfillPreview, BackfillRequest
from trenova_schedules.dashboard._local_time import instant_of
from trenova_schedules.server._api import Caller

LONGEST_NAME: Final = 100
"""Characters of a name that a backfill remembers."""

Policy = Literal["missing", "missing_and_failed", "all"]
Older = Literal["refuse", "run", "skip"]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class NotAsShownError(ConflictError):
    """What would be started is not what was shown: look at what it would be now."""

    code = "backfill.not_as_shown"


class BackfillForm(BaseModel):
    """What is asked for; times as they are typed, in the schedule's zone.

    Attributes:
        start: The earliest tick.
        end: The end of the range, itself left out.
        policy: As :attr:`BackfillRequest.policy`.
        rate: Starts per second; 0 for no limit.
        concurrency: Runs open at once; empty for what the overlap policy means.
        older: As :attr:`BackfillRequest.older`.
        holes_of: Workflow id of an earlier backfill, of which only the holes are run; empty for none.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    start: Annotated[str, Field(max_length=100)]
    end: Annotated[str, Field(max_length=100)]
    policy: Policy = "missing"
    rate: Annotated[float, Field(ge=0, le=1000)] = 10
    concurrency: Annotated[str, Field(max_length=5)] = ""
    older: Older = "refuse"
    holes_of: Annotated[str, Field(max_length=1200)] = ""

    def request(self, caller: Caller, schedule_id: str, zone: str, *, reason: str = "preview") -> BackfillRequest:
        """Return the request.

        Args:
            caller: Who asks.
            schedule_id: Of the schedule.
            zone: In which its times are meant.
            reason: Why.

        Raises:
            InvalidInputError: It does not hold together, or has a time that the clocks of the zone leave out.
        """
        told = {
            "schedule_id": schedule_id,
            "start_at": instant_of(self.start, zone, edge="start"),
            "end_at": instant_of(self.end, zone, edge="end"),
            "policy": self.policy,
            "rate_per_second": self.rate,
            "concurrency": self.concurrency or None,
            "older": self.older,
            "holes_of": self.holes_of or None,
            "reason": reason,
            "by": caller.name[:LONGEST_NAME],
        }
        return valid(BackfillRequest, told, "The backfill")


class StartForm(BackfillForm):
    """A start of what was shown.

    Attributes:
        reason: Why.
        key: Of this form, so that it starts one backfill however often it is sent.
        shown: As :func:`mark_of`, of the preview that was looked at.
    """

    reason: Reason
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    shown: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\.[0-9a-f]{64}\.\d{1,7}\.\d{1,7}$")]


def mark_of(request: BackfillRequest, preview: BackfillPreview) -> str:
    """Return what a form carries of the preview that it shows: what was asked, the ticks, and how many are run."""
    return f"{request.digest_of_request()}.{preview.digest}.{preview.planned}.{preview.judged.due}"


def require_as_shown(shown: str, request: BackfillRequest, preview: BackfillPreview) -> None:
    """Let through what is the same now as it was shown.

    Raises:
        NotAsShownError: It is not; says in which way.
    """
    if shown == mark_of(request, preview):
        return
    asked, ticks, planned, due = shown.split(".")
    said = []
    if asked != request.digest_of_request():
        said.append("the form was changed after its preview")
    if (int(planned), int(due)) != (preview.planned, preview.judged.due):
        said.append(
            f"it was {int(due):,} to run of {int(planned):,} ticks, and is {preview.judged.due:,} of "
            f"{preview.planned:,} now"
        )
    elif ticks != preview.digest:
        said.append("its ticks are at other times, or are run in another way, since the schedule was changed")
    raise NotAsShownError(f"{'; '.join(said)}. Nothing was started.".capitalize())
