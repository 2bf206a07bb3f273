"""An observation beside what is known from before: what every rule looks at."""

import math
from datetime import timedelta
from typing import Final, NamedTuple

from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._headroom import in_force, utilization, wait_of
from trenova_workers.scaling._learning import arrivals
from trenova_workers.scaling._observation import ExpectedArrivals, Observation, WorkerCounts
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState

MOST: Final = 1_000_000
_ROUNDING: Final = 1e-9


class Look(NamedTuple):
    """One observation without faults, and what it is judged by."""

    observation: Observation
    learnt: ScalingState
    """After the observation."""
    policy: ScalingPolicy
    workers: WorkerCounts
    capacity: float | None
    """Tasks per second and worker. What this very observation taught of it counts from the next one on, so that more
    load never asks for fewer workers."""
    rate: float
    """Tasks per second that come."""
    wait_s: float
    """Seconds that work waits; may be endless."""
    headroom: float
    growing: bool
    """Whether tasks waited at the last look, and more wait now."""
    late: bool
    """Whether what waits gets fewer so slowly that it takes longer than the target."""

    @property
    def rho(self) -> float | None:
        """Workers that the load keeps busy all the time."""
        return None if self.capacity is None else self.rate / self.capacity

    @property
    def utilization(self) -> float:
        """Share of their capacity that workers are sized for."""
        return utilization(self.headroom, self.policy)

    def sized(self, rate: float) -> int:
        """Return the workers for a rate; 0 where nobody knows what one can do."""
        if self.capacity is None:
            return 0
        rho = rate / self.capacity
        return max(whole(rho / self.utilization), whole(rho + self.headroom * math.sqrt(rho)))

    def due(self, within_s: float) -> list[ExpectedArrivals]:
        """Return what calendars announce, the next first."""
        now, until = self.observation.at, self.observation.at + timedelta(seconds=within_s)
        return sorted((one for one in self.observation.upcoming if now <= one.at <= until), key=lambda one: one.at)


def look_at(observation: Observation, state: ScalingState, learnt: ScalingState, policy: ScalingPolicy) -> Look:
    """Return what rules look at.

    Args:
        observation: Without faults.
        state: Before it.
        learnt: After it.
        policy: Of the pool.
    """
    capacity = state.capacity or policy.first_capacity
    return Look(
        observation=observation,
        learnt=learnt,
        policy=policy,
        workers=observation.workers or WorkerCounts(running=0, planned=0),
        capacity=capacity,
        rate=arrivals(state, learnt),
        wait_s=wait_of(observation, capacity),
        headroom=in_force(learnt, policy),
        growing=state.came is not None and (observation.backlog or 0.0) > (state.backlog or 0.0),
        late=_late(observation, state, policy),
    )


def _late(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> bool:
    backlog, read, workers = observation.backlog or 0.0, observation.read_at, observation.workers
    if read is None or state.read_at is None or read <= state.read_at or workers is None or not state.backlog:
        return False
    if backlog <= workers.planned:  # few wait, and others come and go
        return False
    return backlog * seconds(read, state.read_at) > (state.backlog - backlog) * policy.wait_target_s


def whole(workers: float) -> int:
    """Round up, without a worker for what arithmetic leaves over; what is beyond all bounds is cut."""
    return min(MOST, math.ceil(min(workers, MOST) - _ROUNDING)) if workers > _ROUNDING else 0
