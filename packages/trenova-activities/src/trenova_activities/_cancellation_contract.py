"""What the cancellation of stale shipments is asked and what it answers."""

from pydantic import Field

from trenova_activities._nightly_contract import (
    NightlyPayload,
    NightlyProgress,
    PartialFailure,
    SkippedOrganization,
)
from trenova_activities._wire import WireModel


class CancelShipmentsPayload(NightlyPayload):
    """Cancel New shipments that are older than their organization's own threshold."""


class CancelledOrganization(WireModel):
    """What was canceled for one tenant.

    Attributes:
        cancelled_count: Shipments.
        cancelled_pro_nums: The first 100 of their pro numbers, oldest first.
        truncated: There are more than are listed.
    """

    organization_id: str
    business_unit_id: str
    cancelled_count: int
    cancelled_pro_nums: list[str]
    truncated: bool = False


class CancelShipmentsResult(WireModel):
    """What a run did; each list holds the first 100 entries in the order of organizations.

    Attributes:
        total_cancelled: Shipments canceled, or in a dry run those that would be.
        skipped_orgs: Organizations that were left alone: a setting out of range, or not what was asked for.
        processed_orgs: Organizations that were worked through, and failed ones as far as they came.
        partial_failures: Organizations with which the run did not come to the end.
        result: One sentence for a person.
        data: ``runId``, ``asOf``, ``dryRun``, ``oddRows`` and the lengths of the whole lists.
        truncated: A list is longer than what is listed.
    """

    total_cancelled: int
    skipped_orgs: list[SkippedOrganization] = Field(default_factory=list)
    processed_orgs: list[CancelledOrganization] = Field(default_factory=list)
    partial_failures: list[PartialFailure] = Field(default_factory=list)
    result: str
    data: dict[str, object] = Field(default_factory=dict)
    truncated: bool = False


class CancelShipmentsProgress(NightlyProgress):
    """What one call of the activity answers; the result comes with the last."""

    result: CancelShipmentsResult | None = None
