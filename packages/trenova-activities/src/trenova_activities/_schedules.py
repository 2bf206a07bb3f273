"""When the nightly jobs run: data, so that whoever manages schedules can create them.

The field names are those of ``trenova_schedules.ScheduleDefinition``, which a service completes with its own queue
and name. Source of ids, times and overlap: the domain's description of both jobs.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import ScheduleOverlapPolicy

from trenova_activities._cancellation_contract import CancelShipmentsPayload
from trenova_activities._names import CANCEL_SHIPMENTS_WORKFLOW, DELETE_AUDIT_ENTRIES_WORKFLOW
from trenova_activities._nightly_contract import NightlyPayload
from trenova_activities._nightly_labels import nightly_labels
from trenova_activities._retention_contract import DeleteAuditEntriesPayload


@dataclass(frozen=True, kw_only=True)
class JobSchedule:
    """When to start one job with which request.

    Attributes:
        id: Of the schedule; the runs are called ``<id>-<nominal time>``.
        workflow: Wire name.
        payload: What every run is asked.
        cron: Five fields, read in ``time_zone``.
        time_zone: IANA name.
        overlap: What happens when the previous run has not ended.
        catchup_window: How late a run that was missed in an outage may still start. Both jobs take their cut-off from
            the moment they begin, so a late run does the same work; a later one is the next night's.
        note: For operators.
    """

    id: str
    workflow: str
    payload: NightlyPayload
    cron: str
    time_zone: str = "UTC"
    overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP
    catchup_window: timedelta = timedelta(hours=6)
    note: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the schedule as keyword arguments of a ``ScheduleDefinition``; the queue and the owner are missing."""
        labels = nightly_labels(self.workflow, self.payload, scheduled=True).arguments()
        return {
            "id": self.id,
            "workflow": self.workflow,
            "args": (self.payload,),
            "cron": self.cron,
            "time_zone": self.time_zone,
            "overlap": self.overlap,
            "catchup_window": self.catchup_window,
            "note": self.note,
            "run_summary": labels["static_summary"],
            "run_details": labels["static_details"],
            "run_memo": labels["memo"],
            "run_search_attributes": labels["search_attributes"],
        }


CANCEL_SHIPMENTS_SCHEDULE: Final = JobSchedule(
    id="cancel-shipments-schedule",
    workflow=CANCEL_SHIPMENTS_WORKFLOW,
    payload=CancelShipmentsPayload(),
    cron="0 0 * * *",
    note="Cancels New shipments older than the threshold of their organization. Try 'start cancel --dry-run' first.",
)

DELETE_AUDIT_ENTRIES_SCHEDULE: Final = JobSchedule(
    id="delete-audit-entries-schedule",
    workflow=DELETE_AUDIT_ENTRIES_WORKFLOW,
    payload=DeleteAuditEntriesPayload(),
    cron="0 0 * * *",
    note="Deletes audit entries older than the period of their organization. Try 'start purge --dry-run' first.",
)
