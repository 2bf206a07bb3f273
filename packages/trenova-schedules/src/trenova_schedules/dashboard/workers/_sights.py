"""What was last seen of pools, for as long as nothing newer can be read."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request

from trenova_errors import ApplicationError, ResourceNotFoundError
from trenova_schedules.worker_pools import NoPoolManagerError, WorkerPools

FRESH_S: Final = 1.5
"""Seconds for which one answer is everybody's: to the manager the whole dashboard is one caller."""
_KEPT: Final = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Sight(Generic[T]):
    """One look.

    Attributes:
        value: What was seen; None where it never could be.
        at: When.
        trouble: Why it cannot be seen now, as a sentence; empty if it can.
        since: Since when.
    """

    value: T | None = None
    at: datetime | None = None
    trouble: str = ""
    since: datetime | None = None


@dataclass
class _Place:
    sight: Sight[Any] = field(default_factory=Sight)
    looked: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sights:
    """The last looks of one process.

    Args:
        pools: Whom to ask; None where there is nobody.
    """

    def __init__(self, pools: WorkerPools | None) -> None:
        self._pools = pools
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()

    @property
    def pools(self) -> WorkerPools:
        """Whom to ask.

        Raises:
            NoPoolManagerError: There is nobody.
        """
        if self._pools is None:
            raise NoPoolManagerError("This dashboard was started without a pool manager.")
        return self._pools

    async def look(self, key: Hashable, ask: Callable[[WorkerPools], Awaitable[T]]) -> Sight[T]:
        """Return what is seen now, or what was seen last and why there is nothing newer.

        Args:
            key: Of what is looked at.
            ask: Looks.

        Raises:
            NoPoolManagerError: There is nobody to ask.
            ResourceNotFoundError: There is no such thing, or no more.
        """
        pools = self.pools
        place = self._places.setdefault(key, _Place())
        self._places.move_to_end(key)
        while len(self._places) > _KEPT:
            self._places.popitem(last=False)
        async with place.lock:
            if time.monotonic() - place.looked < FRESH_S:
                return place.sight
            try:
                place.sight = Sight(await ask(pools), datetime.now(UTC))
            except (NoPoolManagerError, ResourceNotFoundError):
                self._places.pop(key, None)
                raise
            except ApplicationError as error:
                since = place.sight.since or datetime.now(UTC)
                place.sight = replace(place.sight, trouble=error.message, since=since)
            place.looked = time.monotonic()
            return place.sight

    def changed(self) -> None:
        """Look anew at the next request, because something was ordered."""
        for place in self._places.values():
            place.looked = float("-inf")


def sights_of(request: Request) -> Sights:
    """Return those of the application of a request."""
    found: Sights = request.app.state.sights
    return found
