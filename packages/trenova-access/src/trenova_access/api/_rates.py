"""How often one caller may ask."""

from collections import OrderedDict
from datetime import timedelta
from typing import Literal

from aiolimiter import AsyncLimiter

from trenova_errors import ThrottledError
from trenova_schedules.server._options import RateOptions

Kind = Literal["reads", "writes"]


class Rates:
    """One leaky bucket for each caller and kind of request.

    Args:
        options: How often.
    """

    def __init__(self, options: RateOptions) -> None:
        self._options = options
        self._buckets: OrderedDict[tuple[str, Kind], AsyncLimiter] = OrderedDict()

    async def take(self, caller: str, kind: Kind) -> None:
        """Count a request.

        Raises:
            ThrottledError: The caller has asked too often, and when to come back.
        """
        most, per_s = getattr(self._options, kind), self._options.per_s
        bucket = self._buckets.setdefault((caller, kind), AsyncLimiter(most, per_s))
        self._buckets.move_to_end((caller, kind))
        if len(self._buckets) > self._options.callers:
            self._buckets.popitem(last=False)
        if not bucket.has_capacity():
            raise ThrottledError(
                f"{most} {kind} within {per_s:g} s are let through for each caller. Ask less often.",
                retry_after=timedelta(seconds=per_s / most),
            )
        await bucket.acquire()
