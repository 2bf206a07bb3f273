"""What a nightly run exports through the worker's metrics; no label names an organization."""

from datetime import timedelta
from typing import Final

from temporalio.common import MetricMeter

from trenova_activities.database._health import BrakeReason
from trenova_activities.database._nightly_standing import Standing

_PREFIX: Final = "trenova_nightly_"


class NightlyMetrics:
    """The instruments of one kind of job.

    Gauges keep their last value for as long as the process lives, and the next call of a run may be another worker's:
    what a call told ends with it.

    Args:
        meter: Of the activity.
        job_type: The label of everything.
    """

    def __init__(self, meter: MetricMeter, job_type: str) -> None:
        meter = meter.with_additional_attributes({"job_type": job_type})
        self._debt = meter.create_gauge(f"{_PREFIX}debt_rows", "Rows that are due, of the tenants that were begun")
        self._age = meter.create_gauge(f"{_PREFIX}debt_age_seconds", "Age of the oldest row that is due")
        self._eta = meter.create_gauge(f"{_PREFIX}eta_seconds", "How long the rest of the run takes at its rate")
        self._rate = meter.create_gauge_float(f"{_PREFIX}rows_per_second", "Rows changed per second, pauses included")
        self._size = meter.create_gauge(f"{_PREFIX}batch_size", "Rows of the next batch")
        self._braked = meter.create_gauge(f"{_PREFIX}braked", "1 while a run is slower than it could be, by reason")
        self._behind = meter.create_gauge(f"{_PREFIX}behind", "1 where a run is not done before the next night")
        self._growing = meter.create_counter(f"{_PREFIX}growing_runs", "Runs begun after three that left ever more")
        self._rows = meter.create_counter(f"{_PREFIX}rows", "Rows changed")
        self._refused = meter.create_counter(f"{_PREFIX}batches_refused", "Batches that a lock or a time-out ended")
        self._batch = meter.create_histogram_timedelta(f"{_PREFIX}batch_duration", "Duration of a batch's transaction")

    def batch(self, seconds: float, *, rows: int) -> None:
        """Count a batch that was committed."""
        self._batch.record(timedelta(seconds=seconds))
        self._rows.add(rows)

    def refused(self) -> None:
        """Count a batch that was turned away."""
        self._refused.add(1)

    def standing(self, standing: Standing, *, at: int) -> None:
        """Set the gauges.

        Args:
            standing: Where the run stands.
            at: The database's clock, unix seconds.
        """
        self._debt.set(standing.eligible or 0)
        self._age.set(0 if standing.oldest_at is None else max(0, at - standing.oldest_at))
        self._eta.set(standing.eta_seconds or 0)
        self._rate.set(standing.rows_per_second or 0.0)
        self._size.set(standing.batch_size or 0)
        self._behind.set(int(standing.behind))
        for known in BrakeReason:
            self._braked.set(int(known == standing.reason), {"reason": str(known)})

    def over(self) -> None:
        """Take back what was told of a run that this worker no longer works on."""
        self.standing(Standing(), at=0)

    def growing(self) -> None:
        """Count that the last three runs left ever more rows behind."""
        self._growing.add(1)
