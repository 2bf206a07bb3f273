"""The registry of job notifications: which event, how urgent, under which title."""

from dataclasses import dataclass
from typing import Final, Literal

Priority = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True)
class JobEvent:
    """How the end of one type of job is announced.

    Attributes:
        event: The event type that the TMS's front end subscribes to.
        priority: Priorities when it succeeded and when it failed.
        titles: Titles when it succeeded and when it failed.
        area: The tag beside ``job``.
    """

    event: str
    priority: tuple[Priority, Priority]
    titles: tuple[str, str]
    area: str

    def priority_of(self, *, success: bool) -> Priority:
        """Return the priority of one outcome."""
        return self.priority[0 if success else 1]

    def title_of(self, *, success: bool) -> str:
        """Return the title of one outcome."""
        return self.titles[0 if success else 1]


def _completed(what: str) -> tuple[str, str]:
    return f"{what} Completed", f"{what} Failed"


JOB_EVENTS: Final[dict[str, JobEvent]] = {
    "duplicate_shipment": JobEvent(
        "job.shipment.duplicate_complete", ("medium", "high"), _completed("Shipment Duplication"), "shipment"
    ),
    "transfer_shipments": JobEvent(
        "job.shipment.transfer_complete", ("medium", "high"), _completed("Shipment Transfer"), "shipment"
    ),
    "cancel_shipments": JobEvent(
        "job.shipment.auto_cancel_complete", ("low", "high"), _completed("Automatic Cancellation"), "shipment"
    ),
    "delete_audit_entries": JobEvent(
        "job.system.audit_retention_complete", ("low", "high"), _completed("Audit Retention"), "system"
    ),
    "schedule_backfill": JobEvent(
        "job.schedule.backfill_complete", ("medium", "high"), _completed("Backfill"), "schedule"
    ),
    "schedule_alert": JobEvent(
        "job.schedule.alert",
        ("high", "critical"),
        ("Schedule Recovered", "Schedule Needs Attention"),
        "schedule",
    ),
    "delay_shipment": JobEvent(
        "job.shipment.delay_complete",
        ("medium", "high"),
        ("Shipment Delay Notice", "Shipment Delay Notice"),
        "shipment",
    ),
    "compliance_check": JobEvent(
        "job.compliance.check_complete", ("high", "critical"), _completed("Compliance Check"), "compliance"
    ),
    "billing_process": JobEvent(
        "job.billing.process_complete", ("medium", "high"), _completed("Billing Process"), "billing"
    ),
}

UNKNOWN_JOB: Final = JobEvent("job.unknown", ("medium", "high"), _completed("Job"), "unknown")


def event_of(job_type: str) -> JobEvent:
    """Return how a job type is announced; one that is not in the registry is announced as a plain job."""
    return JOB_EVENTS.get(job_type, UNKNOWN_JOB)
