"""The database seen through a workflow, as an operator sees it from afar."""

from system_worker._settings import Settings
from trenova_activities import CheckDatabasePayload, CheckDatabaseWorkflow
from trenova_workers import DemoRun


async def demonstrate(settings: Settings, run: DemoRun) -> None:
    """Check the database through the worker and expect every job to be ready.

    Args:
        settings: Name the queue.
        run: Where the check goes; its token makes the workflow id.
    """
    result = await run.client.execute_workflow(
        CheckDatabaseWorkflow.run,
        CheckDatabasePayload(),
        id=f"check-database/demo-{run.token}",
        task_queue=settings.queues[0],
    )
    run.check("jobs that lack something", expected=0, actual=sum(bool(job.lacks) for job in result.jobs))
    run.summary(result.result)
