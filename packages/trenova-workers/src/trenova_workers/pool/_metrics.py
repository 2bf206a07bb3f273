"""What the manager tells of its pools, through ``opentelemetry-api``; whoever runs it chooses an exporter."""

from collections.abc import Iterable, Mapping

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from trenova_workers.pool.store._states import PoolPhase, PoolState

_meter = metrics.get_meter("trenova_workers.pool")


class PoolMetrics:
    """The last state of each pool of this process, and what was done to it.

    Names: ``trenova_workers_pool_desired``, ``trenova_workers_pool_workers`` (label ``state``),
    ``trenova_workers_pool_phase`` (label ``phase``, 1 for the one that it is in), ``trenova_workers_pool_leader`` (1
    while this process acts) and the counters ``trenova_workers_pool_starts``, ``..._drains`` and ``..._crashes``. All
    but the leader's carry ``pool``.
    """

    def __init__(self) -> None:
        self._states: dict[str, PoolState] = {}
        self.leads = False
        self._starts = _meter.create_counter("trenova_workers_pool_starts", description="Workers started")
        self._drains = _meter.create_counter("trenova_workers_pool_drains", description="Workers asked to drain")
        self._crashes = _meter.create_counter("trenova_workers_pool_crashes", description="Workers that crashed")
        _meter.create_observable_gauge("trenova_workers_pool_desired", callbacks=[self._desired])
        _meter.create_observable_gauge("trenova_workers_pool_workers", callbacks=[self._workers])
        _meter.create_observable_gauge("trenova_workers_pool_phase", callbacks=[self._phase])
        _meter.create_observable_gauge("trenova_workers_pool_leader", callbacks=[self._leader])

    def show(self, state: PoolState) -> None:
        """Tell this of a pool from now on."""
        self._states[state.pool] = state

    def count(self, pool: str, *, starts: int = 0, drains: int = 0, crashes: int = 0) -> None:
        """Add what was done."""
        for counter, number in ((self._starts, starts), (self._drains, drains), (self._crashes, crashes)):
            if number:
                counter.add(number, {"pool": pool})

    @property
    def _shown(self) -> Mapping[str, PoolState]:
        return self._states if self.leads else {}

    def _desired(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(state.desired, {"pool": pool}) for pool, state in self._shown.items()]

    def _workers(self, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(count, {"pool": pool, "state": name})
            for pool, state in self._shown.items()
            for name, count in state.counts.items()
        ]

    def _phase(self, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(int(state.phase is phase), {"pool": pool, "phase": str(phase)})
            for pool, state in self._shown.items()
            for phase in PoolPhase
        ]

    def _leader(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(int(self.leads))]
