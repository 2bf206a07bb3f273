"""What the runs of the nightly jobs are, in words, whoever starts them."""

from dataclasses import dataclass
from typing import Final

from trenova_activities._cancellation_contract import CancelShipmentsPayload
from trenova_activities._labels import RunLabels
from trenova_activities._names import (
    BY_HAND_TAG,
    CANCEL_SHIPMENTS_JOB,
    CANCEL_SHIPMENTS_WORKFLOW,
    DELETE_AUDIT_ENTRIES_JOB,
    DELETE_AUDIT_ENTRIES_WORKFLOW,
    DRY_RUN_TAG,
    SCHEDULED_TAG,
)
from trenova_activities._nightly_contract import NightlyPayload
from trenova_activities._retention_contract import DeleteAuditEntriesPayload

_MOST_NAMED: Final = 10
_SHOWN_HASH: Final = 12


@dataclass(frozen=True)
class NightlyKind:
    """What the input of a nightly job is, and what the job does, in words.

    Attributes:
        payload: Its input.
        words: What it does, in a few words.
        job_type: As in the registry of notifications.
        explained: What it does and how, in sentences.
    """

    payload: type[NightlyPayload]
    words: str
    job_type: str
    explained: str


NIGHTLY_JOBS: Final = {
    CANCEL_SHIPMENTS_WORKFLOW: NightlyKind(
        CancelShipmentsPayload,
        "Cancel stale shipments",
        CANCEL_SHIPMENTS_JOB,
        "Cancels New shipments that are older than the threshold of their own organization, with all below them.",
    ),
    DELETE_AUDIT_ENTRIES_WORKFLOW: NightlyKind(
        DeleteAuditEntriesPayload,
        "Delete outlived audit entries",
        DELETE_AUDIT_ENTRIES_JOB,
        "Deletes audit entries that are older than the retention period of their own organization. Entries under a "
        "legal hold stay.",
    ),
}
"""By the wire name of the workflow."""


def in_words(what: str, payload: NightlyPayload) -> str:
    """Say in a line what a run is asked: for whom, and whether it changes anything."""
    count = len(payload.organization_ids)
    whose = f"of {count} organizations" if count > 1 else "of one organization" if count else "of every organization"
    plan = f", by plan {payload.plan_hash[:_SHOWN_HASH]}" if payload.plan_hash else ""
    return f"{what} {whose}{', dry run' if payload.dry_run else ''}{plan}"


def nightly_labels(
    workflow: str,
    payload: NightlyPayload,
    *,
    scheduled: bool = False,
    requested_by: str | None = None,
    tags: tuple[str, ...] = (),
) -> RunLabels:
    """Say what a nightly run is.

    Args:
        workflow: Its wire name, one of `NIGHTLY_JOBS`.
        payload: What it is asked.
        scheduled: Whether a schedule starts it.
        requested_by: Who asks, as the caller says.
        tags: Further tags.
    """
    kind = NIGHTLY_JOBS[workflow]
    only = payload.organization_ids
    return RunLabels(
        job_type=kind.job_type,
        summary=in_words(kind.words, payload),
        details=_details(kind, payload, scheduled=scheduled, requested_by=requested_by),
        organization_id=only[0] if len(only) == 1 else None,
        requested_by=requested_by,
        tags=(
            SCHEDULED_TAG if scheduled else BY_HAND_TAG,
            *((DRY_RUN_TAG,) if payload.dry_run else ()),
            *tags,
        ),
    )


def _details(kind: NightlyKind, payload: NightlyPayload, *, scheduled: bool, requested_by: str | None) -> str:
    named, more = payload.organization_ids[:_MOST_NAMED], len(payload.organization_ids) - _MOST_NAMED
    whom = f"Only for {', '.join(named)}{f' and {more} more' if more > 0 else ''}." if named else ""
    lines = [
        kind.explained,
        whom or "For every organization that wants it.",
        "It is a dry run: rows are counted, and nothing is changed." if payload.dry_run else "",
        f"At most {payload.batch_size:,} rows per transaction." if payload.batch_size else "",
        "Started by its schedule." if scheduled else f"Started by hand{_claimed(requested_by)}.",
        "What was done is in the tables of the run; a failure is told to a role of the organization.",
    ]
    return "\n\n".join(line for line in lines if line)


def _claimed(requested_by: str | None) -> str:
    return f", by {requested_by} as the caller says" if requested_by else ""
