"""What audit retention is asked and what it answers."""

from pydantic import Field

from trenova_activities._nightly_contract import (
    NightlyPayload,
    NightlyProgress,
    PartialFailure,
    SkippedOrganization,
)
from trenova_activities._wire import WireModel


class DeleteAuditEntriesPayload(NightlyPayload):
    """Delete audit entries that are older than their organization's own retention period."""


class PurgedOrganization(WireModel):
    """What was deleted for one tenant.

    Attributes:
        deleted_count: Audit entries.
        cutoff: Entries before it were meant, unix seconds; fixed when the run came to the tenant.
        retention_days: The period that it was computed from.
        odd_rows: Entries with an impossible time, which stay.
        held: Entries from before the cut-off that legal holds kept when the run came to the tenant.
    """

    organization_id: str
    business_unit_id: str
    deleted_count: int
    cutoff: int
    retention_days: int
    odd_rows: int = 0
    held: int = 0


class DeleteAuditEntriesResult(WireModel):
    """What a run did; each list holds the first 100 entries in the order of organizations.

    Attributes:
        total_deleted: Audit entries deleted, or in a dry run those that would be.
        organizations: Organizations that were worked through, and failed ones as far as they came.
        skipped_orgs: Organizations that were left alone: a period that is none, or no row at all.
        partial_failures: Organizations with which the run did not come to the end.
        result: One sentence for a person.
        data: ``runId``, ``asOf``, ``dryRun``, ``oddRows``, ``held`` and the lengths of the whole lists.
        truncated: A list is longer than what is listed.
    """

    total_deleted: int
    organizations: list[PurgedOrganization] = Field(default_factory=list)
    skipped_orgs: list[SkippedOrganization] = Field(default_factory=list)
    partial_failures: list[PartialFailure] = Field(default_factory=list)
    result: str
    data: dict[str, object] = Field(default_factory=dict)
    truncated: bool = False


class DeleteAuditEntriesProgress(NightlyProgress):
    """What one call of the activity answers; the result comes with the last."""

    result: DeleteAuditEntriesResult | None = None
