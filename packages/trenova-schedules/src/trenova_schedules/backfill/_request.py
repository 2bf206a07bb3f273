"""What a backfill is asked to do."""

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from trenova_schedules.backfill._limits import MAX_CONCURRENCY, MAX_RATE
from trenova_schedules.backfill._steering_contract import Name, Reason
from trenova_schedules.backfill._wire import ExactWireModel

MOST_TICKS: Final = 100_000
"""Ticks of one backfill, unless its request says otherwise."""

LONGEST_YEARS: Final = 20
"""Years from the beginning to the end of one backfill."""

_MOST_TICKS_EVER: Final = 250_000
_MOST_OF_AN_ID: Final = 900
_DAYS_OF_A_YEAR: Final = 366
_NOT_ASKED: Final = frozenset({"by", "reason", "digest"})
_DEFAULT_RATE: Final = 10.0

Policy = Literal["all", "missing", "missing_and_failed"]
Older = Literal["refuse", "run", "skip"]


def _whole_seconds(at: datetime) -> datetime:
    if at.microsecond:
        raise PydanticCustomError("whole_seconds", "must be whole seconds, as nominal times are")
    return at


Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_whole_seconds)]


class BackfillRequest(ExactWireModel):
    """Run the ticks of a schedule in a range of the past.

    Attributes:
        schedule_id: Of a schedule that starts a workflow.
        start_at: The earliest tick, inclusive; whole seconds.
        end_at: The end of the range, exclusive, so that neighbouring ranges share no tick; not in the future.
        policy: Which ticks run: ``missing`` those without a run, ``missing_and_failed`` also those of which no run has
            completed or is under way, ``all`` also those with runs that completed.
        rate_per_second: Starts per second at most; 0 for as many as one client manages.
        concurrency: Runs of the schedule that may be open at once, 1 to 200; 0 for any number. Absent: as the
            schedule's overlap policy has it, thus any number where overlaps are allowed and one elsewhere.
        older: What becomes of ticks of which nobody knows whether they ran, since they are older than the namespace
            keeps runs: ``refuse`` the request, ``run`` them, or ``skip`` them. Of no importance to ``all``.
        holes_of: Workflow id of an earlier backfill; only the holes that it left are looked at.
        max_ticks: A range with more ticks is refused.
        digest: Of a preview (:attr:`BackfillPreview.digest`); the backfill is refused if it would be another one.
        reason: Why, for whoever looks; 1 to 500 characters.
        by: Who asks, as they say; 1 to 100 characters.
    """

    schedule_id: Annotated[str, Field(min_length=1, max_length=_MOST_OF_AN_ID)]
    start_at: Moment
    end_at: Moment
    policy: Policy = "missing"
    rate_per_second: Annotated[float, Field(ge=0, le=MAX_RATE)] = _DEFAULT_RATE
    concurrency: Annotated[int, Field(ge=0, le=MAX_CONCURRENCY)] | None = None
    older: Older = "refuse"
    holes_of: Annotated[str, Field(min_length=1)] | None = None
    max_ticks: Annotated[int, Field(ge=1, le=_MOST_TICKS_EVER)] = MOST_TICKS
    digest: str | None = None
    reason: Reason
    by: Name

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end_at == self.start_at:
            raise PydanticCustomError(
                "empty_range",
                "the range begins and ends at {start}, and its end is left out; give a later end",
                {"start": self.start_at.isoformat()},
            )
        if self.end_at < self.start_at:
            raise PydanticCustomError(
                "reversed_range",
                "the range ends ({end}) before it begins ({start}); exchange the two",
                {"start": self.start_at.isoformat(), "end": self.end_at.isoformat()},
            )
        if (days := (self.end_at - self.start_at).days) > LONGEST_YEARS * _DAYS_OF_A_YEAR:
            raise PydanticCustomError(
                "too_long",
                "the range has {years} years, of {most} at most; make several backfills",
                {"years": days // 365, "most": LONGEST_YEARS},
            )
        return self

    def differences(self, other: "BackfillRequest") -> list[str]:
        """Return the names of the fields in which another request asks for something else; who asks does not matter."""
        names = type(self).model_fields.keys() - _NOT_ASKED
        return sorted(name for name in names if getattr(self, name) != getattr(other, name))

    def digest_of_request(self) -> str:
        """Return the fingerprint by which a repeated request is known; who asks does not matter."""
        asked = self.model_copy(update={"by": "", "reason": "", "digest": None})  # those of _NOT_ASKED
        return hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
