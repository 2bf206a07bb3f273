"""Metrics of the ledger, with as many schedule ids as a label can bear."""

from collections.abc import Iterable
from typing import Final

from opentelemetry import metrics

from trenova_schedules._tick import Tick

OTHER: Final = "other"
"""The label of all schedules beyond the cap."""


class LedgerMetrics:
    """Counts what is final, so that no tick is counted twice.

    Args:
        most_ids: How many schedules get a label of their own; the others share :data:`OTHER`.
    """

    def __init__(self, *, most_ids: int = 200) -> None:
        meter = metrics.get_meter("trenova_schedules")
        self._ids: set[str] = set()
        self._most = most_ids
        self._ticks = meter.create_counter("trenova_schedules_ticks", description="Ticks whose class is final")
        self._delay = meter.create_histogram(
            "trenova_schedules_delay_seconds", unit="s", description="How long after its time a run began"
        )
        self._failing = meter.create_gauge(
            "trenova_schedules_failing", description="1 while a schedule misses its objective"
        )
        self._alerts = meter.create_counter("trenova_schedules_alerts", description="Failures and recoveries told")

    def settled(self, schedule_id: str, ticks: Iterable[Tick]) -> None:
        """Count ticks that have become final."""
        label = self._label(schedule_id)
        for tick in ticks:
            self._ticks.add(1, {"schedule_id": label, "class": str(tick.state)})
            if tick.delay is not None:
                self._delay.record(max(0.0, tick.delay.total_seconds()), {"schedule_id": label})

    def standing(self, schedule_id: str, *, failing: bool) -> None:
        """Say whether a schedule misses its objective."""
        if (label := self._label(schedule_id)) != OTHER:
            self._failing.set(int(failing), {"schedule_id": label})

    def told(self, kind: str) -> None:
        """Count an alert."""
        self._alerts.add(1, {"kind": kind})

    def _label(self, schedule_id: str) -> str:
        if schedule_id not in self._ids:
            if len(self._ids) >= self._most:
                return OTHER
            self._ids.add(schedule_id)
        return schedule_id
