"""Several laws on one trace."""

import math
from dataclasses import dataclass
from typing import Final

from trenova_workers.scaling import Decision, ScalingPolicy
from trenova_workers.simulate._laws import FixedLaw, KedaLaw, Law, OwnLaw, PlannedLaw, RateLaw
from trenova_workers.simulate._oracle import EVERY_S, oracle, work_seconds
from trenova_workers.simulate._run import Run, run
from trenova_workers.simulate._trace import Trace

_MINUTE: Final = 60


@dataclass(frozen=True)
class Comparison:
    """What came of every law on one trace.

    ``runs`` has ours first and the oracle last.
    """

    trace: Trace
    policy: ScalingPolicy
    runs: tuple[Run, ...]
    work_seconds: float
    """Worker-seconds of the work alone: nobody who does all of it can be below."""
    decisions: tuple[Decision, ...]
    """Of our law, each with its sentence."""

    @property
    def ours(self) -> Run:
        """What came of our law."""
        return self.runs[0]

    @property
    def oracle(self) -> Run:
        """What came of the plan of one who knows the future."""
        return self.runs[-1]

    def cost(self, one: Run) -> float:
        """Return worker-seconds as a multiple of the oracle's."""
        return one.worker_seconds / self.oracle.worker_seconds if self.oracle.worker_seconds else math.inf


def compare(trace: Trace, policy: ScalingPolicy) -> Comparison:
    """Return what comes of our law, KEDA's rule, the published rate law, two fixed pools and the oracle."""
    ours = OwnLaw(policy)
    least, most, target = policy.min_workers, policy.max_workers, policy.wait_target_s
    plan = oracle(trace, least=least, most=most, wait_target_s=target)
    usual, peak = (min(max(1, least, count), most) for count in _fixed(trace, policy))
    laws: list[tuple[Law, int]] = [(ours, least), (KedaLaw(policy), least), (RateLaw(policy), least)]
    laws += [(FixedLaw("fixed-mean", usual), usual), (FixedLaw("fixed-peak", peak), peak)]
    laws.append((PlannedLaw("oracle", plan.workers, EVERY_S), least))
    runs = tuple(run(trace, law, wait_target_s=target, workers=workers) for law, workers in laws)
    return Comparison(trace, policy, runs, work_seconds(trace), tuple(ours.decisions))


def _fixed(trace: Trace, policy: ScalingPolicy) -> tuple[int, int]:
    """Return the workers that the mean of the load asks for, and those that its busiest minute does."""
    each = trace.slots / trace.service_s * policy.utilization
    minutes = [sum(trace.arrivals[at : at + _MINUTE]) / _MINUTE for at in range(0, trace.seconds, _MINUTE)]
    return math.ceil(sum(trace.arrivals) / trace.seconds / each), math.ceil(max(minutes) / each)
