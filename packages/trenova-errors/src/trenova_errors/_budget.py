"""How many retries a process may cause at one dependency before it slows down.

A token bucket for each dependency, with the numbers of botocore's standard retry mode 2.1
(``botocore/retries/standard.py``, ``RetryQuotaChecker``, and ``quota.py``): 500 tokens, a retry costs 14, one that
the other side asked for by throttling costs 5, a success at the first attempt returns 1, and a success after a
retry returns what the retry cost. Where botocore stops retrying, an activity waits longer.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Final

from trenova_errors._kinds import ErrorKind
from trenova_errors._types import ConfigurationError

_MAX_ACTIVITIES: Final = 256


@dataclass(frozen=True, kw_only=True)
class BudgetOptions:
    """The size of each bucket and what happens when it is empty.

    Args:
        tokens: What a bucket holds.
        retry_cost: Tokens for a retry.
        throttle_cost: Tokens for a retry after ``throttle``.
        success_refund: Tokens that a success at the first attempt returns.
        stretch: What the delay is multiplied by while the bucket is empty; at least 1.
        longest_delay: Where the stretching ends.
        max_dependencies: How many buckets are kept; the one unused for longest goes first.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    tokens: int = 500
    retry_cost: int = 14
    throttle_cost: int = 5
    success_refund: int = 1
    stretch: float = 8.0
    longest_delay: timedelta = timedelta(minutes=5)
    max_dependencies: int = 64

    def __post_init__(self) -> None:
        costs = (self.retry_cost, self.throttle_cost, self.max_dependencies)
        if min(costs) < 1 or self.tokens < max(costs[:2]) or self.success_refund < 0 or self.stretch < 1:
            raise ConfigurationError(
                "BudgetOptions cannot be used: costs and max_dependencies are at least 1, tokens at least the "
                "higher cost, success_refund at least 0, stretch at least 1. Correct these values."
            )


@dataclass
class _Bucket:
    tokens: int
    spent: bool = False
    """Whether it has been said that the bucket is empty."""


@dataclass(frozen=True)
class Verdict:
    """What the budget says to one retry."""

    granted: bool
    just_spent: bool = False
    """This retry is the first one that the bucket had no tokens for."""


@dataclass
class _Activity:
    dependencies: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """What the last retry cost, by dependency."""


class RetryBudget:
    """The buckets of one process; safe to use from several threads."""

    def __init__(
        self, options: BudgetOptions | None = None, *, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self.options = options or BudgetOptions()
        self._uniform = uniform
        self._lock = Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._activities: OrderedDict[str, _Activity] = OrderedDict()

    def take(self, dependency: str, kind: ErrorKind, *, activity_type: str) -> Verdict:
        """Pay for one retry of an activity that failed with ``kind`` at ``dependency``."""
        cost = self.options.throttle_cost if kind is ErrorKind.THROTTLE else self.options.retry_cost
        with self._lock:
            bucket = self._bucket(dependency)
            self._remember(activity_type, dependency, cost)
            if bucket.tokens >= cost:
                bucket.tokens -= cost
                return Verdict(granted=True)
            first, bucket.spent = not bucket.spent, True
            return Verdict(granted=False, just_spent=first)

    def succeeded(self, activity_type: str, *, attempt: int) -> None:
        """Return tokens to what this type of activity has failed at before."""
        with self._lock:
            activity = self._activities.get(activity_type)
            if activity is None:
                return
            for dependency, cost in activity.dependencies.items():
                if dependency in self._buckets:
                    self._refund(self._buckets[dependency], cost if attempt > 1 else self.options.success_refund)

    def stretched(self, delay: timedelta) -> timedelta:
        """Return a longer delay, spread at random so that those who wait do not come back together."""
        longest = max(delay, min(delay * self.options.stretch, self.options.longest_delay))
        return timedelta(seconds=self._uniform(((delay + longest) / 2).total_seconds(), longest.total_seconds()))

    def tokens(self, dependency: str) -> int:
        """Return what is left of a bucket."""
        with self._lock:
            bucket = self._buckets.get(dependency)
            return self.options.tokens if bucket is None else bucket.tokens

    def _bucket(self, dependency: str) -> _Bucket:
        bucket = self._buckets.pop(dependency, None) or _Bucket(self.options.tokens)
        self._buckets[dependency] = bucket
        if len(self._buckets) > self.options.max_dependencies:
            self._buckets.popitem(last=False)
        return bucket

    def _remember(self, activity_type: str, dependency: str, cost: int) -> None:
        activity = self._activities.pop(activity_type, None) or _Activity()
        self._activities[activity_type] = activity
        if len(self._activities) > _MAX_ACTIVITIES:
            self._activities.popitem(last=False)
        activity.dependencies[dependency] = cost
        activity.dependencies.move_to_end(dependency)
        if len(activity.dependencies) > self.options.max_dependencies:
            activity.dependencies.popitem(last=False)

    def _refund(self, bucket: _Bucket, tokens: int) -> None:
        bucket.tokens = min(self.options.tokens, bucket.tokens + tokens)
        if bucket.tokens * 2 >= self.options.tokens:
            bucket.spent = False
