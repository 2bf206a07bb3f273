"""Whether a nightly job falls further behind with each run, which is no bad night but a trend."""

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from sqlalchemy import func, select

from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_run import NightlyRun

_log = logging.getLogger(__name__)

RUNS_COMPARED: Final = 3
"""So many runs in a row that leave ever more behind are a trend."""


async def tell_trend(database: Database, begun: NightlyRun, metrics: NightlyMetrics) -> None:
    """Log and count it if each of the last three runs before this one left more rows behind than the one before.

    Args:
        database: Where the runs are.
        begun: The run that has just begun; a run is compared once, and only when it is over, however it ended.
        metrics: Where it is counted.
    """
    left = await _left(database, begun)
    if len(left) == RUNS_COMPARED and all(later > sooner for later, sooner in pairwise(left)):
        metrics.growing()
        facts = {"job": begun.facts.job_type, "left": list(reversed(left))}
        _log.warning("the last runs of a nightly job left ever more rows behind", extra=facts)


async def _left(database: Database, begun: NightlyRun) -> Sequence[int]:
    """Return what the last runs left behind, the youngest first."""
    table = database.jobs.job_runs
    query = (
        select(func.coalesce(table.c.debt_rows, 0))
        .where(
            table.c.job_type == begun.facts.job_type,
            table.c.dry_run.is_(False),
            table.c.run_id != begun.facts.run_id,
        )
        .order_by(table.c.created_at.desc(), table.c.run_id)
        .limit(RUNS_COMPARED)
    )
    async with database.read() as connection:
        return list((await connection.execute(query)).scalars())
