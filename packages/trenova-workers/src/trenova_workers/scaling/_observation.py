"""What is known of a pool and its queue at one moment."""

import math
from typing import Annotated, Literal

from pydantic import AwareDatetime, PlainSerializer

from trenova_workers.scaling._document import ScalingDocument
from trenova_workers.scaling._override import Override

VersionState = Literal["unversioned", "created", "inactive", "current", "ramping", "draining", "drained"]
"""The worker deployment version that a pool serves, in the server's words; ``unversioned`` where it serves none."""


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


Figure = Annotated[float, PlainSerializer(_finite, return_type=float | None, when_used="json")]
"""A number as it was read. JSON has no word for what is not one, so that is null there."""


class WorkerCounts(ScalingDocument):
    """The workers of a pool, counted by whoever starts them.

    Attributes:
        running: Take tasks now. Not those that start or drain, and not those that are lost.
        starting: Were started and take no tasks yet.
        draining: Take no tasks any more and finish what they have.
        planned: How many the pool was last told to have. ``running`` and ``starting`` come to it.
    """

    running: int
    starting: int = 0
    draining: int = 0
    planned: int


class ExpectedArrivals(ScalingDocument):
    """Work that a calendar announces.

    Attributes:
        at: When it arrives, all at once.
        tasks: How many tasks. May be a fraction: it is mostly an average of what earlier fires brought. None cannot be
            judged, as what is negative cannot.
        name: Whose fire it is, for the sentence of a decision; empty where that is nobody's.
    """

    at: AwareDatetime
    tasks: Figure | None
    name: str = ""


class Observation(ScalingDocument):
    """What is known of one pool and its task queue at one moment.

    Anything that could not be read is None; what is NaN becomes None in JSON. Figures are taken as they come, also
    negative ones: `decide` judges them, and holds. A queue with several kinds of tasks has them added up.

    Attributes:
        pool: Its name.
        at: When the decision is taken, by the clock of who takes it.
        read_at: When the figures of the queue were true. A server may answer from a cache of 5 s.
        backlog: Tasks that wait, without those that a worker has.
        backlog_age_s: Seconds that the oldest of them has waited.
        arrival_rate: Tasks per second that came, over about the last 30 s (``tasks_add_rate``).
        dispatch_rate: Tasks per second that workers took, likewise (``tasks_dispatch_rate``).
        wait_p95_s: Seconds from schedule to start that 95 of 100 tasks did not exceed since the last observation.
            None where nobody measures it, which is no fault.
        unmatched: Tasks since the last observation that came while no worker asked for one. None likewise.
        workers: None where they could not be counted.
        slots_used: Tasks that the running workers work on. None where they do not say, which is no fault, but a pool
            of which it is not known is never scaled to zero.
        slots: Tasks that they could work on at once. None likewise.
        rate_limited: Whether the server holds tasks of the queue back (``rate_limiting_active``).
        dependency_down: Whether what the tasks need is down, so that more workers would only fail more.
        dependencies_down: Names of those that are down, for the sentence of a decision; empty where nobody says which.
        open_workflows: Workflows that run and belong to the queue or are pinned to its version. None where they
            were not counted, which is no fault, but such a pool is never scaled to zero.
        version_state: Of the version that the pool serves.
        upcoming: What calendars announce, in any order. What lies before ``at`` is ignored.
        override: What a person told, if anything. It counts until its end.
    """

    pool: str
    at: AwareDatetime
    read_at: AwareDatetime | None
    backlog: Figure | None
    backlog_age_s: Figure | None
    arrival_rate: Figure | None
    dispatch_rate: Figure | None
    wait_p95_s: Figure | None = None
    unmatched: Figure | None = None
    workers: WorkerCounts | None
    slots_used: Figure | None = None
    slots: Figure | None = None
    rate_limited: bool = False
    dependency_down: bool = False
    dependencies_down: tuple[str, ...] = ()
    open_workflows: Figure | None = None
    version_state: VersionState = "unversioned"
    upcoming: tuple[ExpectedArrivals, ...] = ()
    override: Override | None = None
