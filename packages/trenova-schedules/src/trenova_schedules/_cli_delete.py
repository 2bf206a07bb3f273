"""``trenova-schedules delete``: one schedule, as it was seen."""

import typer

from trenova_schedules._cli_change import Etag, change_one
from trenova_schedules._cli_output import AsJson, By, Reason, Yes
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, OneId, Url, actor_of
from trenova_schedules._managing._changing import ANY_ETAG
from trenova_schedules._managing._results import ScheduleChange
from trenova_schedules._managing._service import ScheduleService


def delete(
    schedule_id: OneId,
    *,
    reason: Reason,
    etag: Etag = ANY_ETAG,
    yes: Yes = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Delete a schedule; runs under way go on. 'export' it first if it may be wanted back.

    What is shown before it asks is what it deletes: if somebody changes the schedule meanwhile, it stays.
    """

    async def work(service: ScheduleService) -> ScheduleChange:
        seen = etag
        if not yes:
            document = await service.describe(schedule_id)
            said = f"{document.workflow} on {document.task_queue!r}, {'paused' if document.paused else 'active'}"
            typer.confirm(f"Delete schedule {schedule_id!r} ({said})?", abort=True, err=True)
            seen = document.etag if etag == ANY_ETAG else etag
        return await service.delete(schedule_id, reason=reason, etag=seen, actor=actor_of(by))

    change_one(work, url, data_dir, serves=True, as_json=as_json)
