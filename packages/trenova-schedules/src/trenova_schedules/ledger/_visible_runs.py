"""Runs of a schedule, as visibility has them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from temporalio.client import Client, WorkflowExecution

from trenova_schedules.backfill import BACKFILL_MEMO
from trenova_schedules.ledger._evidence import Run

_BY = "TemporalScheduledById"
_START = "TemporalScheduledStartTime"


async def visible_runs(client: Client, schedule_id: str, since: datetime) -> list[Run]:
    """Return the runs of a schedule that had not ended before a time.

    Executions of one workflow id and nominal time that follow each other (retried or continued as new) are one run,
    from the first start to the last end.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of the schedule.
        since: Runs that ended before are left out.
    """
    ended = f"CloseTime >= '{since.isoformat().replace('+00:00', 'Z')}'"
    query = f"{_BY} = {quoted(schedule_id)} AND (ExecutionStatus = 'Running' OR {ended})"
    executions = [execution async for execution in client.list_workflows(query, page_size=1000)]
    return _joined(filter(None, map(_run, executions)))


def quoted(text: str) -> str:
    """Write text as a string of a visibility query."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _run(execution: WorkflowExecution) -> Run | None:
    nominal = {pair.key.name: pair.value for pair in execution.typed_search_attributes}.get(_START)
    if not isinstance(nominal, datetime):
        return None
    return Run(
        nominal=int(nominal.timestamp()),
        started=execution.start_time.timestamp(),
        closed=None if execution.close_time is None else execution.close_time.timestamp(),
        workflow_id=execution.id,
        run_id=execution.run_id,
        status="" if execution.status is None else execution.status.name,
        backfilled=BACKFILL_MEMO in execution.raw_info.memo.fields,
    )


def _joined(runs: Iterable[Run]) -> list[Run]:
    found: dict[tuple[str, int], Run] = {}
    for run in sorted(runs, key=lambda run: run.started):
        key = (run.workflow_id, run.nominal)
        before = found.get(key)
        found[key] = run if before is None else replace(run, started=before.started, run_id=before.run_id)
    return list(found.values())
