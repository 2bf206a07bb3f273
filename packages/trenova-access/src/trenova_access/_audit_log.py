"""The audit log, kept readable while somebody without a credential knocks thousands of times."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from trenova_access._audit import AUDIT_LOGGER, AuditEvent, log_audit
from trenova_access._options import AuditOptions


@dataclass
class _Window:
    begun: float
    written: int = 0
    held: int = 0


class AuditLog:
    """An audit hook that logs every event, and sums up what callers that nobody knows are refused too often.

    Whoever proved who they are always has a line for each event. Refusals of others, and those for which no credential
    was looked at (Host, Origin, size, another path or method), have ``lines`` for each outcome and reason within
    ``window_s``; what comes above is one line with their number when that time is over. Metrics count every one.
    """

    def __init__(self, options: AuditOptions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options or AuditOptions()
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def __call__(self, event: AuditEvent) -> None:
        """Log an event, or add it to a sum."""
        if event.method or event.outcome == "allowed":
            log_audit(event)
            return
        kind, now = (event.outcome, event.reason), self._clock()
        window = self._windows.get(kind)
        if window is None or now - window.begun >= self._options.window_s:
            self._close(kind)
            window = self._windows[kind] = _Window(now)
        if window.written < self._options.lines:
            window.written += 1
            log_audit(event)
        else:
            self._hold(kind, window, now)

    def flush(self) -> None:
        """Log the sums that are open; for the end of a server."""
        for kind in list(self._windows):
            self._close(kind)

    def _hold(self, kind: tuple[str, str], window: _Window, now: float) -> None:
        window.held += 1
        if window.held == 1:
            _after(window.begun + self._options.window_s - now, lambda: self._over(kind, window))

    def _over(self, kind: tuple[str, str], window: _Window) -> None:
        if self._windows.get(kind) is window:
            self._close(kind)

    def _close(self, kind: tuple[str, str]) -> None:
        window = self._windows.pop(kind, None)
        if window and window.held:
            outcome, reason = kind
            logging.getLogger(AUDIT_LOGGER).warning(
                "%d more requests of callers that nobody knows: %s (%s), within %.0f s; written as one line",
                *(window.held, outcome, reason, self._clock() - window.begun),
                extra={"audit_sum": {"outcome": outcome, "reason": reason, "count": window.held}},
            )


def _after(seconds: float, act: Callable[[], None]) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return  # the next event of its kind, or flush(), writes the sum
    loop.call_later(max(0.0, seconds), act)
