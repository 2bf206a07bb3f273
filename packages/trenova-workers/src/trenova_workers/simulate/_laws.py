"""The laws that are compared. Those of others are written from their documentation, to be measured against."""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from trenova_workers.scaling import Decision, Observation, ScalingPolicy, ScalingState, decide


class Law(Protocol):
    """Says how many workers there shall be."""

    name: str
    every_s: int
    """Seconds between two questions."""

    def desired(self, observation: Observation) -> int:
        """Return how many workers there shall be from now on."""


class OwnLaw:
    """`trenova_workers.scaling.decide`."""

    name = "ours"

    def __init__(self, policy: ScalingPolicy) -> None:
        """Begin with an empty state."""
        self.every_s = max(1, round(policy.poll_s))
        self.decisions: list[Decision] = []
        self._policy = policy
        self._state = ScalingState()

    def desired(self, observation: Observation) -> int:
        """See `Law`; keeps every decision."""
        decision = decide(observation, self._state, self._policy)
        self._state = decision.state
        self.decisions.append(decision)
        return decision.desired


class FixedLaw:
    """As many workers all the time."""

    every_s = 60

    def __init__(self, name: str, workers: int) -> None:
        """Fix the number."""
        self.name = name
        self._workers = workers

    def desired(self, observation: Observation) -> int:
        """See `Law`."""
        del observation
        return self._workers


class PlannedLaw:
    """A plan that was made beforehand, one number for each question."""

    def __init__(self, name: str, plan: Sequence[int], every_s: int) -> None:
        """Take the plan; its last number holds until the end."""
        self.name = name
        self.every_s = every_s
        self._plan = plan
        self._asked = 0

    def desired(self, observation: Observation) -> int:
        """See `Law`."""
        del observation
        at = min(self._asked, len(self._plan) - 1)
        self._asked += 1
        return self._plan[at]


class KedaLaw:
    """KEDA's Temporal scaler with its defaults, and the horizontal pod autoscaler behind it.

    ``ceil(backlog / targetQueueSize)`` every 15 s from a backlog that is read every 30 s; a tolerance of 10 %; at most
    twice as many or 4 more each 15 s; down to the most of the last 300 s; to zero after 300 s with a backlog of 0.
    """

    name = "keda"
    every_s = 15
    _polling_s: Final = 30
    _stabilization_s: Final = 300
    _cooldown_s: Final = 300

    def __init__(self, policy: ScalingPolicy, *, target_queue_size: int = 5) -> None:
        """Take the bounds of a policy."""
        self._least, self._most = policy.min_workers, policy.max_workers
        self._target = target_queue_size
        self._backlog: float | None = None
        self._asked = 0
        self._active_at = 0
        self._wanted: deque[tuple[int, int]] = deque()

    def desired(self, observation: Observation) -> int:
        """See `Law`."""
        now, self._asked = self._asked * self.every_s, self._asked + 1
        if now % self._polling_s == 0:
            self._backlog = observation.backlog
        planned = observation.workers.planned if observation.workers else 0
        if self._backlog is None:
            return planned
        if self._backlog > 0:
            self._active_at = now
        if not planned:
            return max(1, self._least) if self._backlog > 0 else self._least
        if not self._least and now - self._active_at >= self._cooldown_s:
            self._wanted.clear()
            return 0
        return self._scaled(now, planned, self._backlog)

    def _scaled(self, now: int, planned: int, backlog: float) -> int:
        wanted = math.ceil(backlog / self._target)
        if abs(backlog / (self._target * planned) - 1) <= 0.1:  # noqa: PLR2004 (the autoscaler's tolerance)
            wanted = planned
        wanted = min(max(wanted, self._least, 1), self._most)
        self._wanted.append((now, wanted))
        while self._wanted[0][0] <= now - self._stabilization_s:
            self._wanted.popleft()
        if wanted > planned:
            return min(wanted, max(planned * 2, planned + 4))
        return min(planned, max(count for _, count in self._wanted))


class RateLaw:
    """The published rate law (temporal-auto-scaled-workers): offered load, a fast path, single steps.

    ``max(ceil(rho / 0.8), ceil(rho + 0.5 sqrt(rho)))`` every 60 s, at most 4 more or 1 fewer, fewer only after 90 s in
    which every task found a worker; one more at once, every 2 s at most, when one did not.
    """

    name = "rate"
    every_s = 2
    _poll_s: Final = 60
    _quiet_s: Final = 90
    _weight: Final = 0.45

    def __init__(self, policy: ScalingPolicy) -> None:
        """Take the bounds of a policy."""
        self._least, self._most = policy.min_workers, policy.max_workers
        self._asked = 0
        self._unmatched_at = -self._quiet_s
        self._unmatched = 0.0
        self._arrival: float | None = None
        self._capacity: float | None = None

    def desired(self, observation: Observation) -> int:
        """See `Law`."""
        now, self._asked = self._asked * self.every_s, self._asked + 1
        planned = observation.workers.planned if observation.workers else 0
        unmatched = observation.unmatched or 0.0
        self._unmatched += unmatched
        if unmatched:
            self._unmatched_at = now
        if now % self._poll_s == 0:
            wanted = self._polled(observation, planned, now)
        else:
            wanted = planned + 1 if unmatched else planned
        return min(max(wanted, self._least), self._most)

    def _polled(self, observation: Observation, planned: int, now: int) -> int:
        unmatched, self._unmatched = self._unmatched, 0.0
        if observation.arrival_rate is None or observation.dispatch_rate is None:
            return planned
        backlog = observation.backlog or 0.0
        self._arrival = self._ewma(self._arrival, observation.arrival_rate)
        if planned and (unmatched or backlog >= 50):  # noqa: PLR2004 (what that law calls saturated)
            self._capacity = self._ewma(self._capacity, observation.dispatch_rate / planned)
        if not backlog and not observation.arrival_rate and not observation.dispatch_rate:
            self._arrival = 0.0
        if not self._capacity:
            return planned
        rho = (self._arrival + (2.0 if backlog else 0.0)) / self._capacity
        wanted = max(math.ceil(rho / 0.8), math.ceil(rho + 0.5 * math.sqrt(rho)))
        if wanted < planned:
            return planned - 1 if now - self._unmatched_at >= self._quiet_s else planned
        return min(wanted, planned + 4)

    def _ewma(self, known: float | None, value: float) -> float:
        return value if known is None else known + self._weight * (value - known)
