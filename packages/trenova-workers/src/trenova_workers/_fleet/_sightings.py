"""How long ago a worker was heard of, although its clock, the server's and ours may differ.

A heartbeat carries the worker's time, a poll the server's, and no request tells the server's time of now. So the
first look trusts the clocks; from the second on, a heartbeat that has changed is as old as our look at it.
"""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class _Sighting:
    signs: tuple[datetime, ...]
    since: float
    looked: float
    changed: bool = False


class Sightings:
    """Remembers the signs of life of workers between two looks.

    Args:
        wall: Returns the time of now.
        steady: Returns seconds that never go back.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._behind_s = 0.0
        self._seen: dict[str, _Sighting] = {}

    def correct(self, server: datetime) -> None:
        """Learn of a moment that is past on the server: our clock is behind if it is yet to come here."""
        self._behind_s = max(self._behind_s, (server - self._wall()).total_seconds())

    def told(self, sign: datetime) -> float:
        """Return seconds since a sign of life by the clocks alone; negative for one from the future."""
        return (self._wall() - sign).total_seconds() + self._behind_s

    def age(self, key: str, *signs: datetime) -> float:
        """Return seconds since the last sign of life.

        Args:
            key: The worker.
            signs: When it was heard of, by whatever clocks; any that has changed since the last look counts.
        """
        now, told = self._steady(), max(0.0, self.told(max(signs)))
        seen = self._seen.setdefault(key, _Sighting(signs, now, now))
        if seen.signs != signs:
            age = min(told, now - seen.looked)
            seen.signs, seen.since, seen.changed = signs, now - age, True
        seen.looked = now
        # A clock that is ahead makes a dead worker young for ever, hence at least as long as we have watched it.
        return now - seen.since if seen.changed else max(now - seen.since, told)

    def forget_others(self, keys: AbstractSet[str]) -> None:
        """Keep nothing of workers that the server does not list any more."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in keys}
