"""The activity that looks at the database through a worker's eyes."""

from temporalio import activity

from trenova_activities._check_contract import CheckDatabasePayload, CheckDatabaseResult, JobReadiness
from trenova_activities._heartbeats import heartbeats
from trenova_activities._names import CHECK_DATABASE_ACTIVITY
from trenova_activities.database._engine import Database
from trenova_activities.database._requirements import JOBS, check
from trenova_errors import InvalidInputError


class SystemActivities:
    """The activities of the system queue.

    Args:
        database: The TMS's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=CHECK_DATABASE_ACTIVITY)
    async def check_database(self, payload: CheckDatabasePayload) -> CheckDatabaseResult:
        """Report what each job lacks; reads only.

        Raises:
            InvalidInputError: A job that does not exist was named.
        """
        if unknown := sorted(set(payload.jobs) - set(JOBS)):
            raise InvalidInputError(f"There are no jobs {unknown}; known are {sorted(JOBS)}.")
        async with heartbeats() as beats:
            beats.stage("reading the catalog of the database")
            lacks = await check(self._database, payload.jobs or sorted(JOBS))
        jobs = [JobReadiness(job=job, lacks=sentences) for job, sentences in lacks.items()]
        waiting = [job.job for job in jobs if job.lacks]
        return CheckDatabaseResult(
            ready=not waiting,
            database=self._database.engine.dialect.name,
            jobs=jobs,
            result=f"Not ready: {', '.join(waiting)}." if waiting else "Every job has what it needs.",
        )
