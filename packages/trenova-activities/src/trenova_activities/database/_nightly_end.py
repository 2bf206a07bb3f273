"""The end of a call: where the run stands is written down, exported, and told where it falls behind."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_standing import Standing

_log = logging.getLogger(__name__)

RUNS_COMPARED: Final = 3
"""So many runs in a row that leave ever more behind are a trend and not a bad night."""


class RunEnd:
    """The end of one call of a run.

    Args:
        database: Where the run lives.
        run: The run as the call found it.
        metrics: Where the numbers go as well.
    """

    def __init__(self, database: Database, run: NightlyRun, metrics: NightlyMetrics) -> None:
        self._database = database
        self._run = run
        self._metrics = metrics
        self._table = database.jobs.job_runs

    async def keep(self, stand: Standing, *, done: bool) -> None:
        """Write where the run stands into its row, for people and for the next call to go on from.

        Args:
            stand: Where it stands.
            done: The run is at its end.
        """
        async with self._database.write() as connection:
            at = await self._database.clock(connection)
            await connection.execute(update(self._table).where(*self._run.mine(self._table)).values(stand.columns()))
            if self._run.fresh:
                await self._compare(connection, done=False)
            if done:
                await self._compare(connection, done=True)
        self._tell_if_behind(stand)
        # Gauges outlive the run.
        self._metrics.standing(replace(stand, rows_per_second=None, reason="") if done else stand, at=at)

    def _tell_if_behind(self, stand: Standing) -> None:
        """Log it when the run turns out to last beyond the next night; once, as long as it stays so."""
        if stand.behind and not self._run.stand.behind:
            facts = {"job": self._run.facts.job_type, "eligible": stand.eligible, "eta_seconds": stand.eta_seconds}
            _log.warning("a nightly run will not be done before the next night", extra=facts)

    async def _compare(self, connection: AsyncConnection, *, done: bool) -> None:
        """Say whether the last three runs each left more rows behind than the one before."""
        left = await self._left(connection, done=done)
        grew = len(left) == RUNS_COMPARED and all(later > sooner for later, sooner in pairwise(left))
        self._metrics.growing(yes=grew)
        if grew:
            facts = {"job": self._run.facts.job_type, "left": list(reversed(left))}
            _log.warning("the last runs of a nightly job left ever more rows behind", extra=facts)

    async def _left(self, connection: AsyncConnection, *, done: bool) -> Sequence[int]:
        """Return what the last runs left behind, the youngest first; the run at hand is one of them at its end."""
        table = self._table
        query = (
            select(func.coalesce(table.c.debt_rows, 0))
            .where(table.c.job_type == self._run.facts.job_type, table.c.dry_run.is_(False))
            .order_by(table.c.created_at.desc(), table.c.run_id)
            .limit(RUNS_COMPARED)
        )
        if not done:
            query = query.where(table.c.run_id != self._run.facts.run_id)
        return list((await connection.execute(query)).scalars())
