"""What a call tells while it works: totals, how fast it is, and how far it is with the organizations at hand."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from trenova_activities._heartbeats import Heartbeats
from trenova_activities._nightly_contract import ENOUGH_TENANTS
from trenova_activities.database._engine import Database
from trenova_activities.database._health import duration
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_pace import RunPace
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_standing import Standing, standing
from trenova_activities.database._nightly_summary import Tally, tally
from trenova_errors import ApplicationError

MOST_TOLD: Final = 10
"""Organizations of which a heartbeat tells, those that changed last."""

_LOOK_EVERY_S: Final = 1.0


class RunProgress:
    """The stage of one call, as ``status`` and the Temporal UI show it: a line of totals, then a line per organization.

    Args:
        database: Where the run lives.
        run: The run.
        beats: Where the stage goes.
        pace: How fast the call is.
        metrics: Where the numbers go as well.
        dry_run: Nothing is changed, only counted.
    """

    def __init__(
        self,
        database: Database,
        run: NightlyRun,
        beats: Heartbeats,
        *,
        pace: RunPace,
        metrics: NightlyMetrics,
        dry_run: bool,
    ) -> None:
        self._database = database
        self._run = run
        self._beats = beats
        self._pace = pace
        self._metrics = metrics
        self._tally = Tally({}, rows=0, odd_rows=0, held_rows=0, organization="")
        self._kind = "dry run, " if dry_run else ""
        self._lines: Sequence[str] = ()
        self._next_look = 0.0

    async def tell(self, organization_id: str) -> None:
        """Report whose turn it is; the numbers are at most a second old."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_look:
            with contextlib.suppress(ApplicationError):  # the work itself will meet it, and knows what to do
                self._tally, self._lines = await tally(self._database, self._run), await self._recent()
                await self._measure()
            self._next_look = now + _LOOK_EVERY_S
        stand = self._now()
        first = f"{self._kind}{self._tally.stage(organization_id)}{_speed(stand, sum(self._tally.tenants.values()))}"
        numbers = {"rows": self._tally.rows, "tenants_done": self._tally.finished, "organization": organization_id}
        self._beats.stage("\n".join([first, *self._lines]), {**numbers, **stand.fields})

    def standing(self, numbers: Tally) -> Standing:
        """Return where the run stands by these numbers and the pace of this call."""
        return self._standing(numbers, self._pace.rate)

    def _now(self) -> Standing:
        """Return the same while the call goes on; until it has changed something, at the pace of the call before."""
        return self._standing(self._tally, self._pace.rate or self._run.stand.rows_per_second)

    def _standing(self, numbers: Tally, rate: float | None) -> Standing:
        return standing(
            numbers,
            tenants_total=self._run.stand.tenants_total,
            rate=rate,
            brake=self._pace.brake.verdict,
            batch_size=self._pace.steered,
        )

    async def _measure(self) -> None:
        async with self._database.read() as connection:
            at = await self._database.clock(connection)
        self._metrics.standing(self._now(), at=at)

    async def _recent(self) -> list[str]:
        table = self._database.jobs.job_run_tenants
        order = (table.c.updated_at.desc(), table.c.organization_id.desc(), table.c.business_unit_id)
        query = select(table.c.organization_id, table.c.state, table.c.counted).where(*self._run.mine(table))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(*order).limit(MOST_TOLD))).all()
        return [f"{row.organization_id}: {row.counted:,} rows, {row.state}" for row in rows]


def _speed(stand: Standing, begun: int) -> str:
    """Say how fast a run is and how long the rest takes, as the end of a line; empty where nothing was changed yet."""
    if stand.rows_per_second is None:
        return f", slowed down: {stand.braked}" if stand.braked else ""
    told = f", {stand.rows_per_second:,.0f} rows/s"
    if stand.eta_seconds:
        few = begun < min(ENOUGH_TENANTS, stand.tenants_total or 0)
        told += f", {'at least ' if few else ''}{duration(stand.eta_seconds)} to go"
    return told + (f", slowed down: {stand.braked}" if stand.braked else "")
