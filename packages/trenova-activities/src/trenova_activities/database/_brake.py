"""The brake of a nightly run: what the database tells, looked at once a second, and the pauses that follow from it."""

import contextlib
import logging
from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import Table

from trenova_activities.database import _health_postgresql as postgresql
from trenova_activities.database._engine import Database
from trenova_activities.database._health import FREE, BrakeReason, Health, Speed, Verdict, judge
from trenova_activities.database._health_postgresql import Sightings
from trenova_activities.database._pace_options import BrakeOptions
from trenova_errors import ApplicationError

_log = logging.getLogger(__name__)

_LOCKED: Final = "rows of the next batch are locked by others"


class Look(Protocol):
    """Asks a database about itself."""

    async def __call__(self) -> Health | None:
        """Return what it tells; None where it tells nothing."""


def looking(database: Database, table: Table, sightings: Sightings) -> Look:
    """Return how to ask a database; SQLite is not asked, and one that does not answer brakes nothing."""

    async def look() -> Health | None:
        if database.options.is_sqlite:
            return None
        with contextlib.suppress(ApplicationError):  # the work itself will meet it, and knows what to do
            async with database.read() as connection:
                return await postgresql.look(connection, table, sightings)
        return None

    return look


class Brake:
    """How fast one run may go now, and for how long it pauses after a batch.

    Args:
        look: Asks the database.
        options: What slows a run.
        job_type: For the log.
        braked: The reason for which the run was slowed at the end of the last call; empty if it was not.
        now: A monotonic clock, seconds.
    """

    def __init__(
        self, look: Look, options: BrakeOptions, *, job_type: str, braked: str, now: Callable[[], float]
    ) -> None:
        self._look = look
        self._options = options
        self._job_type = job_type
        self._now = now
        self._next_look = 0.0
        self._seen = FREE
        self._locked = False
        self._logged = braked

    @property
    def verdict(self) -> Verdict:
        """What holds now; locked rows are told where the database has nothing graver to tell."""
        if self._seen is FREE and self._locked:
            return Verdict(Speed.FULL, BrakeReason.LOCKED, _LOCKED)
        return self._seen

    @property
    def reason(self) -> str:
        """The reason's code; empty at full speed."""
        return str(self.verdict.reason or "")

    async def look(self) -> Verdict:
        """Ask the database if the last look is old, and return what holds now; logs where it begins and ends."""
        if self._options.enabled and self._now() >= self._next_look:
            health = await self._look()
            self._seen = FREE if health is None else judge(health, self._options)
            self._next_look = self._now() + self._options.look_every_s
            self._tell()
        return self.verdict

    def locked(self, *, yes: bool) -> None:
        """Say whether rows of the next batch are locked."""
        if self._locked != yes:
            self._locked = yes
            self._tell()

    def release(self) -> None:
        """The run is at its end, so nothing brakes it any more."""
        self._seen, self._locked = FREE, False
        self._tell()

    def pause_s(self, batch_s: float) -> float:
        """Return how long to pause after a batch that lasted so long."""
        if self._seen.speed is Speed.STOPPED:
            return self._options.stopped_batch_every_s
        return batch_s * (1 / self._seen.share - 1)

    def _tell(self) -> None:
        if self.reason == self._logged:
            return
        facts = {"job": self._job_type, "reason": self.reason or self._logged, "why": self.verdict.words}
        usual = facts["reason"] == BrakeReason.PEOPLE  # comes and goes all day, and nobody has to do anything
        if self.reason:
            _log.log(logging.DEBUG if usual else logging.WARNING, "a nightly run is slowed down", extra=facts)
        else:
            _log.log(logging.DEBUG if usual else logging.INFO, "a nightly run is at full speed again", extra=facts)
        self._logged = self.reason
