"""The end of a call: where the run stands is written down, exported, and told where it falls behind."""

import logging
from dataclasses import replace

from sqlalchemy import update

from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_standing import Standing

_log = logging.getLogger(__name__)


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
        self._tell_if_behind(stand)
        if done:  # what it left behind is told until the next night
            self._metrics.standing(replace(stand, rows_per_second=None, reason=""), at=at)
        else:
            self._metrics.over()

    def _tell_if_behind(self, stand: Standing) -> None:
        """Log it when the run turns out to last beyond the next night; once, as long as it stays so."""
        if stand.behind and not self._run.stand.behind:
            facts = {"job": self._run.facts.job_type, "eligible": stand.eligible, "eta_seconds": stand.eta_seconds}
            _log.warning("a nightly run will not be done before the next night", extra=facts)
