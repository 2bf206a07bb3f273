"""What the nightly jobs have in common on the wire: how they are asked, and how they report on the way."""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from trenova_activities._nightly_limits import MAX_BATCH, RunLimits
from trenova_activities._steering_contract import SteeringState
from trenova_activities._wire import ExactWireModel, Id, WireModel

MAX_LISTED: Final = 100
"""Entries of each list in a result; the rest is in the tables of the run."""

ENOUGH_TENANTS: Final = 10
"""So many begun tenants say something about those that were not begun; with fewer, the time to go leaves those out."""

_MAX_ORGANIZATIONS: Final = 10_000
_NOT_THE_REQUEST: Final = frozenset({"timestamp", "metadata", "run"})


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "an id must not be blank")
    return value


def request_digest(request: dict[str, Any]) -> str:
    """Fingerprint a request as :meth:`NightlyPayload.request` returns it (SHA-256, hexadecimal)."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class FailureNotice(WireModel):
    """Whom to tell about a failure, and what.

    Attributes:
        role: The role of the organization that is told.
        words: What went wrong.
    """

    organization_id: str
    business_unit_id: str
    role: str
    words: str


class NightlyProgress(WireModel):
    """How far a run is after one call of its activity.

    Attributes:
        done: Nothing is left to do.
        tenants_done: Tenants that are finished, whatever came of them.
        rows: Rows changed so far, or counted in a dry run.
        organization: The organization that is being worked on.
        failure: What the whole run failed with, although it reached its end; empty if it did not.
        notices: Whom to tell, at the end.
        tenants_failed: Those of the finished that failed.
        tenants_skipped: Those of the finished that were left alone.
        tenants_total: Tenants that the run is for; None in answers of workers that do not count.
        eligible: Rows that the rule still means, of the tenants that were begun; more than half a million of one
            tenant are estimated. None until something was counted.
        oldest_at: Time of the oldest row that is still due, unix seconds; None if none is.
        rows_per_second: How fast the last call went, pauses included; None where nothing was changed.
        eta_seconds: How long the rest takes at that rate; None where nothing tells.
        braked: Why the run is slower than it could be; empty if it is not.
        batch_size: Rows of the next batch.
    """

    done: bool
    tenants_done: int = 0
    rows: int = 0
    organization: str = ""
    failure: str = ""
    notices: list[FailureNotice] = Field(default_factory=list)
    tenants_failed: int | None = None
    tenants_skipped: int | None = None
    tenants_total: int | None = None
    eligible: int | None = None
    oldest_at: int | None = None
    rows_per_second: float | None = None
    eta_seconds: int | None = None
    braked: str = ""
    batch_size: int | None = None


class NightlyStand(WireModel):
    """How far a run was after its last call, carried through continue-as-new for who asks.

    Attributes:
        last: What the last call answered, without result and notices; absent before the first.
        worked_seconds: How long the calls took together, by the workflow's clock.
    """

    last: NightlyProgress | None = None
    worked_seconds: int = 0


class RunState(WireModel):
    """Where a run stands; made by the workflow and carried through continue-as-new, never by callers.

    Fields that are not known are ignored, unlike those of the request around it: a worker of another version may have
    written them.

    Attributes:
        run_id: Run id of the chain's first execution; the run's rows in the tables carry it.
        workflow_time: The workflow's clock when it asked, unix seconds: the Temporal server's, not a worker's.
        calls: Activity calls so far, over the whole chain.
        failed: The run is failing; the activity only says whom to tell.
        limits: What somebody set while the run was under way; for the activity.
        canceled: The run was told to end; the activity only asks the server to cancel it.
        steering: What the run was told; for the next run of the chain, the activity never sees it.
        stand: How far the run was; likewise.
    """

    run_id: str
    workflow_time: int
    calls: int = 0
    failed: bool = False
    limits: RunLimits | None = None
    canceled: bool = False
    steering: SteeringState | None = None
    stand: NightlyStand | None = None


class NightlyPayload(ExactWireModel):
    """Apply a job's rule to every organization that wants it, or to some of them.

    An unknown field is refused: to ignore a misspelt ``organizationIds`` would be to mean every organization.

    Attributes:
        organization_ids: Only these; all if empty.
        dry_run: Count what would be changed and change nothing.
        batch_size: Rows per transaction at most, 1 to 10,000; the job's own bound if absent.
        plan_hash: Do at most what this plan says, tenant by tenant; it must be approved and not too old.
        timestamp: When the caller asked, in unix seconds; informative.
        metadata: The caller's own notes; carried, never interpreted.
        run: See :class:`RunState`.
    """

    _not_for_callers: ClassVar[frozenset[str]] = frozenset({"run"})

    organization_ids: Annotated[
        list[Annotated[Id, AfterValidator(_not_blank)]], Field(max_length=_MAX_ORGANIZATIONS)
    ] = Field(default_factory=list)
    dry_run: bool = False
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] | None = None
    plan_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    timestamp: int | None = None
    metadata: dict[str, object] = Field(default_factory=dict)
    run: RunState | None = None

    def request(self) -> dict[str, Any]:
        """Return what is asked, as JSON; the time, notes and the run's state are not part of it.

        Nor is a field that is not set, so that one which a later version adds leaves the digests of runs under way as
        they are.
        """
        asked = self.model_dump(mode="json", by_alias=True, exclude=set(_NOT_THE_REQUEST), exclude_none=True)
        return {"batchSize": None, **asked, "organizationIds": sorted(set(self.organization_ids))}

    def digest(self) -> str:
        """Fingerprint of what is asked (SHA-256, hexadecimal)."""
        return request_digest(self.request())

    def at(self, run: RunState) -> Self:
        """Return the same request with the run's state."""
        return self.model_copy(update={"run": run})


class SkippedOrganization(WireModel):
    """An organization that was left alone, and why."""

    organization_id: str
    reason: str


class PartialFailure(WireModel):
    """A tenant with which the run did not come to the end; what it changed there stands."""

    organization_id: str
    business_unit_id: str
    error: str
