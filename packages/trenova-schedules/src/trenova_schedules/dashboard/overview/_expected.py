"""When schedules will fire, for a week and a day ahead; schedules with the same specification are asked about once."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client

from trenova_schedules._previewing._times import times_of
from trenova_schedules.dashboard.overview._backlog import Backlog
from trenova_schedules.dashboard.overview._described import Described

LONGEST: Final = timedelta(days=7)
"""How far ahead it is known at least."""
MOST: Final = 100_000
"""Fires of one schedule that are counted; one a second fires so often in a day and four hours."""
_AHEAD: Final = timedelta(days=8)
_AT_ONCE: Final = 4
_KEPT: Final = 20_000


@dataclass(frozen=True)
class Expected:
    """The fires of one specification.

    Attributes:
        times: Unix seconds, in order.
        start: When it was asked for; unix seconds.
        end: Up to when they are known, itself left out; unix seconds.
        whole: Whether that is as far as was asked for.
    """

    times: "array[int]"
    start: int
    end: int
    whole: bool

    def count(self, start: int, end: int) -> int:
        """Return how many there are from ``start`` until before ``end``, unix seconds."""
        return bisect_left(self.times, end) - bisect_left(self.times, start)


class ExpectedFires:
    """The fires of one process' schedules; a change of a specification is another specification.

    Args:
        client: Of the namespace.

    Attributes:
        backlog: The specifications that are still to be asked about.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: dict[bytes, Expected] = {}
        self._asked: dict[bytes, Described] = {}
        self.backlog = Backlog(self._ask, at_once=_AT_ONCE)

    async def count(self, looks: Iterable[Described], *, within: float) -> None:
        """Ask for what is not known, or not far enough ahead any more, and wait for it so many seconds at most."""
        now = datetime.now(UTC)
        wanted = {look.fires: look for look in looks if (one := self.of(look)) is None or _is_short(one, now)}
        self._asked.update(wanted)
        self.backlog.add(wanted)
        if any(key not in self._found for key in wanted):
            await self.backlog.settle(within)

    def of(self, look: Described) -> Expected | None:
        """Return when a schedule fires; None where that is not known yet."""
        return self._found.get(look.fires)

    async def _ask(self, key: bytes) -> None:
        look = self._asked.pop(key)
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        end, times = start + _AHEAD, array("q")
        async for at in times_of(self._client, look.document.id, look.spec, start, end):
            times.append(int(at.timestamp()))
            if len(times) == MOST:
                break
        whole = len(times) < MOST
        self._found.pop(key, None)
        until = int(end.timestamp()) if whole else times[-1] + 1
        self._found[key] = Expected(times, int(start.timestamp()), until, whole)
        while len(self._found) > _KEPT:
            del self._found[next(iter(self._found))]


def _is_short(one: Expected, now: datetime) -> bool:
    """Whether it does not reach far enough any more; one that is too dense to is asked for every hour."""
    if one.whole:
        return one.end < (now + LONGEST).timestamp()
    return one.start < (now - timedelta(hours=1)).timestamp()
