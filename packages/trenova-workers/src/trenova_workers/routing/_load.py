"""How long work waits on a queue, out of what the server says about it. Pure: time comes in as a number."""

import math
from dataclasses import dataclass, replace
from typing import Final

from trenova_workers.routing._rules import LoadOptions

RATE_WINDOW_S: Final = 30.0
"""Seconds over which the server averages its rates."""

_MOST_PER_START: Final = 100.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the server said about a queue; every number is finite and not negative."""

    at: float
    """When, on the clock of whoever asked."""
    backlog: float
    """Tasks that wait; those that a worker has taken do not count."""
    age_s: float
    """How long the first of them has waited."""
    add_rate: float
    """Tasks added per second, over `RATE_WINDOW_S`."""
    dispatch_rate: float
    """Tasks taken by workers per second, likewise."""
    served: bool = True
    """Whether a worker polls the queue."""

    @classmethod
    def of(
        cls, at: float, backlog: float, age_s: float, add_rate: float, dispatch_rate: float, *, served: bool = True
    ) -> "Reading | None":
        """Return a reading, or None where a number is none or negative: nothing is known then."""
        if all(math.isfinite(one) and one >= 0 for one in (backlog, age_s, add_rate, dispatch_rate)):
            return cls(at, backlog, age_s, add_rate, dispatch_rate, served)
        return None

    @property
    def says_nothing(self) -> bool:
        """Whether it may be the answer for a queue that did not exist when it was first asked about.

        The server keeps an answer for about 5 s, so the first zero may hide any backlog.
        """
        return not (self.backlog or self.add_rate or self.dispatch_rate)

    @property
    def wait_s(self) -> float:
        """Seconds that a task added now would wait: endless where nobody polls.

        The age follows a change at once, the rate of dispatch only over its window, so the worse of both counts.
        """
        if not self.served:
            return math.inf
        # No dispatch in the whole window bounds the rate by one task in it.
        drain = self.backlog / max(self.dispatch_rate, 1 / RATE_WINDOW_S)
        return max(self.age_s, drain) if self.backlog and self.age_s else self.age_s


@dataclass(slots=True)
class QueueView:
    """Everything that a choice takes into account about one queue; only `count` changes it."""

    queue: str
    reading: Reading | None = None
    sent: int = 0
    """Own starts since the reading."""
    own_rate: float = 0.0
    """Own starts per second before it, averaged like the server's rates."""
    speed: float | None = None
    """Tasks per second that it took when work last had to wait; None while that never happened."""
    speed_at: float = 0.0
    repeated: bool = False
    """Whether the last answer was the one before it once more."""
    base_s: float = 0.0
    """Expected wait at the time of the reading."""

    def read(self, reading: Reading, options: LoadOptions) -> "QueueView":
        """Return the view after another reading; nothing changes if the server has only repeated itself."""
        if self._is_repeated(reading):
            return replace(self, repeated=True)
        since = reading.at - self.reading.at if self.reading else 0.0
        own = self.own_rate
        if since > 0:
            own += (self.sent / since - own) * (1 - math.exp(-since / RATE_WINDOW_S))
        fresh = replace(self, reading=reading, sent=0, own_rate=own, repeated=False, base_s=reading.wait_s)
        if not reading.served or reading.age_s < options.margin_s:
            return fresh  # it keeps up, so what it takes is what comes and not what it could
        seen = reading.backlog / reading.wait_s
        return replace(fresh, speed=seen if self.speed is None else (self.speed + seen) / 2, speed_at=reading.at)

    def count(self) -> None:
        """Note a start that is on its way."""
        self.sent += 1

    def wait_s(self, now: float, options: LoadOptions) -> float | None:
        """Return the seconds that a start sent now would wait; None when nothing is known.

        From the last reading a second of wait is worked off each second, and own starts add to it at the speed that
        the queue had under load, which is forgotten slowly.
        """
        reading = self.reading
        if reading is None or now - reading.at > options.stale_periods * options.period_s:
            return None
        added = 0.0
        if self.speed is not None:
            added = self.sent * self._per_start() / self._speed(now, options)
        return max(0.0, self.base_s - (now - reading.at) + added)

    def _is_repeated(self, reading: Reading) -> bool:
        """Whether the server answered out of its cache; starts sent since the answer was true would be forgotten.

        Two equal answers about a queue that is in use are one: the rates move all the time. Of three the last is
        another, as the server keeps them no longer than we wait.
        """
        if self.reading is None or self.repeated or (reading.says_nothing and not self.sent):
            return False
        return replace(reading, at=self.reading.at) == self.reading

    def _per_start(self) -> float:
        """Tasks that come for each own start: its further ones, and those of other clients that choose alike."""
        if self.reading is None or self.own_rate * RATE_WINDOW_S < 1:
            return 1.0
        return min(max(self.reading.add_rate / self.own_rate, 1.0), _MOST_PER_START)

    def _speed(self, now: float, options: LoadOptions) -> float:
        speed = self.speed or 1 / RATE_WINDOW_S
        return float(speed * 2 ** ((now - self.speed_at) / options.forget_s))
