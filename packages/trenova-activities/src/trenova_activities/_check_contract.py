"""What the check of the database is asked and what it answers."""

from pydantic import Field

from trenova_activities._wire import WireModel


class CheckDatabasePayload(WireModel):
    """Check what the named jobs need of the database; all jobs if empty."""

    jobs: list[str] = Field(default_factory=list)


class JobReadiness(WireModel):
    """What one job lacks; nothing if it is ready to run.

    Attributes:
        job: Its name, e.g. ``duplicate_shipment``.
        lacks: One sentence per missing table, column or setting.
    """

    job: str
    lacks: list[str]


class CheckDatabaseResult(WireModel):
    """The database as the jobs see it.

    Attributes:
        ready: No job lacks anything.
        database: ``sqlite`` or ``postgresql``.
        jobs: Each job that was checked.
        result: One sentence for a person.
    """

    ready: bool
    database: str
    jobs: list[JobReadiness]
    result: str
