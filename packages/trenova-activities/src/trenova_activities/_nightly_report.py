"""How far a nightly run is, in numbers and in a line; worked out of what the last call answered."""

from collections.abc import Iterator
from dataclasses import dataclass

from trenova_activities._nightly_contract import ENOUGH_TENANTS, NightlyProgress, NightlyStand
from trenova_activities._progress_contract import Counts, JobProgress
from trenova_activities._steering import Steering
from trenova_activities._steering_contract import Phase

_MINUTE = 60
_HOUR = 60 * _MINUTE


def stand_after(stand: NightlyStand, progress: NightlyProgress, seconds: int) -> NightlyStand:
    """Return the stand after a call that took so many seconds; result and notices of the answer are left out."""
    numbers = {name: getattr(progress, name) for name in NightlyProgress.model_fields if name != "notices"}
    return NightlyStand(last=NightlyProgress(**numbers), worked_seconds=stand.worked_seconds + seconds)


@dataclass(frozen=True)
class NightlyReport:
    """What is known of a run between two calls, or while one is under way.

    Attributes:
        job_type: E.g. ``cancel_shipments``.
        steering: What the run was told.
        stand: How far it was after its last call.
        calls: Calls so far, the one under way included.
        working: A call is under way.
        ended: The work is done.
        dry_run: Nothing is changed, only counted.
    """

    job_type: str
    steering: Steering
    stand: NightlyStand
    calls: int
    working: bool
    ended: bool
    dry_run: bool

    @property
    def phase(self) -> Phase:
        """What the run does at the moment."""
        if self.ended:
            return "ended"
        if self.steering.canceled is not None:
            return "canceling"
        if self.steering.paused is not None:
            return "pausing" if self.working else "paused"
        return "running"

    @property
    def rate(self) -> float | None:
        """Rows per second: of the last call where it tells, else over all calls."""
        last = self.stand.last
        if last is None:
            return None
        if last.rows_per_second is not None:
            return last.rows_per_second
        return round(last.rows / self.stand.worked_seconds, 1) if self.stand.worked_seconds else None

    @property
    def eta_seconds(self) -> int | None:
        """Seconds of work until the end, as the last call tells or by the rate."""
        last, rate = self.stand.last, self.rate
        if last is None or last.eta_seconds is not None:
            return None if last is None else last.eta_seconds
        return round(last.eligible / rate) if last.eligible is not None and rate else None

    def answer(self, *, steerable: bool) -> JobProgress:
        """Return what the query answers."""
        last = self.stand.last or NightlyProgress(done=False)
        state = self.steering.state
        return JobProgress(
            job_type=self.job_type,
            phase=self.phase,
            words=self.words,
            tenants=_tenants(last),
            rows=_rows(last),
            organization=last.organization,
            rows_per_second=self.rate,
            eta_seconds=self.eta_seconds,
            oldest_at=last.oldest_at,
            braked=last.braked or "",
            batch_size=last.batch_size,
            limits=state.limits,
            paused=state.paused,
            canceled=state.canceled,
            calls=self.calls,
            changes=state.changes,
            actions=state.actions,
            steerable=steerable,
        )

    @property
    def words(self) -> str:
        """All of it in a line, as the Temporal UI shows it too."""
        return ". ".join(one[0].upper() + one[1:] for one in [self._doing, *self._numbers] if one) + "."

    @property
    def _doing(self) -> str:
        held = self.steering.canceled or self.steering.paused
        if held is None or self.ended:
            return f"{self.phase}{', dry run' if self.dry_run else ''}"
        then = ", after the batch under way" if self.working else ""
        what = "canceled" if self.steering.canceled is not None else "paused"
        return f"{what} by {held.by.words}{then}: {held.reason.rstrip('.')}"

    @property
    def _numbers(self) -> list[str]:
        limits = self.steering.limits
        said = [] if self.stand.last is None else list(self._worked(self.stand.last))
        return said if limits is None else [*said, f"limits: {limits.words}"]

    def _worked(self, last: NightlyProgress) -> Iterator[str]:
        of_all = "" if last.tenants_total is None else f" of {last.tenants_total:,}"
        one = last.tenants_done == 1 and not of_all
        yield f"{last.tenants_done:,}{of_all} organization{'' if one else 's'}, {last.rows:,} rows"
        if last.tenants_failed:
            yield f"{last.tenants_failed:,} failed"
        if self.rate is not None:
            # One tenant at most is under way, and where few were begun the time to go is that of those few.
            few = last.tenants_done + 1 < min(ENOUGH_TENANTS, last.tenants_total or 0)
            going_on = not self.ended and self.steering.canceled is None
            known = self.eta_seconds is not None and going_on
            left = f", {'at least ' if few else ''}{_length(self.eta_seconds or 0)} left" if known else ""
            yield f"{self.rate:,.0f} rows per second{left}"
        if last.braked:
            yield f"slow for the database's sake: {last.braked.rstrip('.')}"


def _tenants(last: NightlyProgress) -> Counts:
    failed, skipped = last.tenants_failed or 0, last.tenants_skipped or 0
    return Counts(
        total=last.tenants_total,
        processed=last.tenants_done,
        succeeded=last.tenants_done - failed - skipped,
        failed=failed,
        skipped=skipped,
    )


def _rows(last: NightlyProgress) -> Counts:
    total = None if last.eligible is None else last.rows + last.eligible
    return Counts(total=total, processed=last.rows, succeeded=last.rows)


def _length(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} seconds"
    return f"{seconds // _MINUTE} minutes" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} hours"
