"""The versions of a pool's worker deployment, from one reading to the next."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from trenova_workers.deploy import DeploymentReader, DeploymentStatus
from trenova_workers.pool._asking import or_none
from trenova_workers.pool._sights import Sight, sights_of

_WITHIN: Final = timedelta(seconds=5)


class VersionObserver(Protocol):
    """Reads the versions of the workers of one pool."""

    async def read(self, *, build: str, there: Collection[str]) -> tuple[Mapping[str, Sight], tuple[str, ...]]:
        """Return the parts of the pool, and a sentence about each thing that could not be read. It never raises.

        Args:
            build: What the pool would start a worker of now.
            there: Builds of which it has workers, or should.
        """


class TemporalVersions:
    """Asks a Temporal server about the versions of one deployment; kept as long as the pool.

    Args:
        reader: Of the deployment.
        clock: Returns the time of now.
    """

    def __init__(self, reader: DeploymentReader, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._reader, self._clock = reader, clock
        self._last: dict[str, tuple[tuple[float | None, ...], datetime]] = {}

    async def read(self, *, build: str, there: Collection[str]) -> tuple[Mapping[str, Sight], tuple[str, ...]]:
        """See `VersionObserver`."""
        missing: list[str] = []
        at = self._clock()
        what = f"the versions of {self._reader.name!r}"
        status = await or_none(self._reader.read_load(), what, missing, within=_WITHIN)
        since = {} if status is None else self._since(status, at)
        return sights_of(status, build=build, there=there, at=at, since=since), tuple(missing)

    def _since(self, status: DeploymentStatus, at: datetime) -> dict[str, datetime]:
        """Say when the figures of each version were true: the server repeats its figures for some seconds.

        Those of a version with nothing to do may well be true twice.
        """
        last, self._last = self._last, {}
        for one in status.versions:
            numbers = (one.backlog, one.backlog_age_s, one.arrival_rate, one.dispatch_rate)
            before = last.get(one.build_id)
            repeated = before is not None and before[0] == numbers and any(numbers)
            self._last[one.build_id] = (numbers, before[1] if repeated and before is not None else at)
        return {build: seen for build, (_, seen) in self._last.items()}
