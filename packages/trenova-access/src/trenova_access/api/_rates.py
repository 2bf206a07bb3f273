"""How often one caller may ask."""

from collections import OrderedDict
from datetime import timedelta
from typing import Literal

from aiolimiter import AsyncLimiter
from pydantic import BaseModel, ConfigDict, Field

from trenova_errors import ThrottledError

Kind = Literal["reads", "writes"]


class RateOptions(BaseModel):
    """How many requests one caller may make; more are told when to come back (429).

    Attributes:
        reads: Requests that change nothing.
        writes: Requests that change something, and questions that ask as much of the server.
        per_s: Seconds within which so many are let through, also all at once.
        callers: Callers that are remembered; the one that asked least recently is forgotten first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reads: int = Field(default=300, ge=1)
    writes: int = Field(default=60, ge=1)
    per_s: float = Field(default=10, gt=0, le=3600)
    callers: int = Field(default=10_000, ge=1)


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
