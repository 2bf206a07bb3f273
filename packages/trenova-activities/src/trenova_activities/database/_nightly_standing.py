"""Where a run stands: what is due, how fast it goes, when it is through, and whether it falls behind."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from trenova_activities._nightly_contract import ENOUGH_TENANTS
from trenova_activities.database._health import Verdict
from trenova_activities.database._nightly_job import DAY_S

if TYPE_CHECKING:
    from trenova_activities.database._nightly_summary import Tally


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes:
        tenants_total: Tenants that it is for; None in rows of workers that did not count.
        eligible: Rows that are due, of the tenants that were begun; None until something was counted.
        oldest_at: Time of the oldest of them, unix seconds.
        rows_per_second: Of the last call, pauses included; None where nothing was changed.
        eta_seconds: How long the rest takes at that rate, tenants that were not begun included as far as those that
            were tell; None where nothing tells.
        braked: Why the run is slower than it could be; empty if it is not.
        batch_size: Rows of the next batch.
        reason: The code of what brakes it; empty if nothing does.
    """

    tenants_total: int | None = None
    eligible: int | None = None
    oldest_at: int | None = None
    rows_per_second: float | None = None
    eta_seconds: int | None = None
    braked: str = ""
    batch_size: int | None = None
    reason: str = ""

    @classmethod
    def of(cls, row: Row[Any]) -> "Standing":
        """Read it from the run's row."""
        return cls(
            tenants_total=row.tenants_total,
            eligible=row.debt_rows,
            oldest_at=row.debt_oldest_at,
            rows_per_second=row.rows_per_second,
            eta_seconds=row.eta_seconds,
            braked=row.braked or "",
            batch_size=row.batch_size,
            reason=row.brake_reason or "",
        )

    @property
    def behind(self) -> bool:
        """Whether the rest takes longer than until the next night."""
        return self.eta_seconds is not None and self.eta_seconds > DAY_S

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the same names in ``NightlyProgress``."""
        return {name: value for name, value in asdict(self).items() if name != "reason"}

    def columns(self) -> dict[str, Any]:
        """Return the columns of the run's row that change from call to call."""
        return {
            "debt_rows": self.eligible,
            "debt_oldest_at": self.oldest_at,
            "rows_per_second": self.rows_per_second,
            "eta_seconds": self.eta_seconds,
            "braked": self.braked or None,
            "batch_size": self.batch_size,
            "brake_reason": self.reason or None,
        }


def standing(
    numbers: "Tally", *, tenants_total: int | None, rate: float | None, brake: Verdict, batch_size: int | None
) -> Standing:
    """Work out where a run stands.

    Args:
        numbers: What its tables say.
        tenants_total: Tenants that it is for.
        rate: Rows per second.
        brake: What the database allows.
        batch_size: Rows of the next batch.
    """
    return Standing(
        tenants_total=tenants_total,
        eligible=numbers.eligible,
        oldest_at=numbers.oldest_at,
        rows_per_second=rate,
        eta_seconds=_eta(numbers, tenants_total, rate),
        braked=brake.words,
        batch_size=batch_size,
        reason=str(brake.reason or ""),
    )


def _eta(numbers: "Tally", tenants_total: int | None, rate: float | None) -> int | None:
    if numbers.draining is None:
        return None
    begun = sum(numbers.tenants.values())
    waiting = max(0, (tenants_total or 0) - begun)
    expected = waiting * (numbers.found or 0) / begun if begun >= ENOUGH_TENANTS else 0
    rows = numbers.draining + expected
    if not rows:
        return 0 if not waiting else None
    return math.ceil(rows / rate) if rate else None
