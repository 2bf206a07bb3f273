"""Whether something holds up the event loop, how long, and what.

A task measures how late the loop wakes it. A thread watches that task, because a blocked loop cannot tell what blocks
it: it takes the stack of the loop's thread in the act. Both wake four times a second and otherwise sleep.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import deque
from contextlib import suppress
from typing import Final, Self

from opentelemetry import metrics
from opentelemetry.metrics import Meter

_log = logging.getLogger(__name__)

_LONGEST_BEAT_S = 0.25
# The worst lag is kept per bucket, so that a scrape each minute misses no peak.
_BUCKET_S = 10.0
_BUCKETS = 6
_BETWEEN_WARNINGS_S = 60.0
_FRAMES = 30
_NAME: Final = "trenova_workers_event_loop_lag_seconds"
_DESCRIPTION: Final = "How late the event loop woke what was due, the worst of the last minute."


class LoopLag:
    """Measures the loop that it is entered in, until it is left.

    The worst lag of the last minute is the gauge ``trenova_workers_event_loop_lag_seconds`` of OpenTelemetry's global
    meter, by ``service``.
    """

    def __init__(self, service: str, warn_after_s: float | None, meter: Meter | None = None) -> None:
        """Warn in the log, at most once a minute, when the loop is later than ``warn_after_s``.

        Args:
            service: Whose loop it is.
            warn_after_s: None never warns.
            meter: None takes OpenTelemetry's global one.
        """
        self._service = service
        self._warn_after = float("inf") if warn_after_s is None else warn_after_s
        self._beat_s = min(_LONGEST_BEAT_S, self._warn_after / 2)
        self._due = time.monotonic()
        self._worst: deque[tuple[float, float]] = deque(maxlen=_BUCKETS)
        self._warned_at = float("-inf")
        self._warned_of = 0.0
        self._left = threading.Event()
        self._loop_thread = 0
        self._task: asyncio.Task[None] | None = None
        self._gauge = (meter or metrics.get_meter("trenova_workers")).create_gauge(
            _NAME, unit="s", description=_DESCRIPTION
        )

    async def __aenter__(self) -> Self:
        self._loop_thread = threading.get_ident()
        self._due = time.monotonic() + self._beat_s
        self._task = asyncio.create_task(self._beat(), name="event loop lag")
        if self._warn_after != float("inf"):
            threading.Thread(target=self._watch, name="event loop watchdog", daemon=True).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left.set()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def worst(self) -> float:
        """Return the worst lag of the last minute, in seconds; 0 before it is entered."""
        since = time.monotonic() - _BUCKET_S * _BUCKETS
        return max((lag for begun, lag in self._worst if begun >= since), default=0.0)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._due - time.monotonic()))
            now = time.monotonic()
            lag = max(0.0, now - self._due)
            self._keep(now, lag)
            if lag >= self._warn_after and self._warned_of != self._due:
                self._warn(now, lag, "no Python code was seen in the act: suspended, throttled, or inside C code")
            self._gauge.set(self.worst(), {"service": self._service})
            self._due = now + self._beat_s

    def _keep(self, now: float, lag: float) -> None:
        if self._worst and now - self._worst[-1][0] < _BUCKET_S:
            begun, worst = self._worst[-1]
            self._worst[-1] = (begun, max(worst, lag))
        else:
            self._worst.append((now, lag))

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._left.wait(self._beat_s):
            now, before = time.monotonic(), looked
            looked = now
            late = now - self._due
            # Who overslept too was stopped together with the loop, and what runs now is not what stopped both.
            if late >= self._warn_after and self._warned_of != self._due and now - before < 2 * self._beat_s:
                self._warn(now, late, self._stack())

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 (the documented way to another thread)
        return "".join(traceback.format_stack(frame, _FRAMES)) if frame else "the thread has ended"

    def _warn(self, now: float, late: float, stack: str) -> None:
        self._warned_of = self._due
        if now - self._warned_at >= _BETWEEN_WARNINGS_S:
            self._warned_at = now
            _log.warning(
                "the event loop is blocked: move what the stack shows to a thread or make it async",
                extra={"late_s": round(late, 3), "stack": stack},
            )
