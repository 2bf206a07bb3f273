"""What a demonstration is given, and where its reports go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from temporalio.client import Client


class ProgressEvent(TypedDict):
    """``done`` of ``total`` steps of the activity called ``label``."""

    event: Literal["progress"]
    label: str
    done: int
    total: int


class CheckEvent(TypedDict):
    """What was asked for beside what is there."""

    event: Literal["check"]
    name: str
    expected: Any
    actual: Any
    ok: bool


class SummaryEvent(TypedDict):
    """One sentence about what was shown."""

    event: Literal["summary"]
    text: str


DemoEvent = ProgressEvent | CheckEvent | SummaryEvent
"""A line of ``demo --json``; values must be JSON."""


@dataclass
class DemoRun:
    """One demonstration.

    Attributes:
        client: Connected, with the service's plugins.
        token: New for each demonstration and the same for all services in it; put it into
            workflow ids and idempotency keys, so that a second demonstration does new work.
        report: Receives every event.
        failed: Names of the checks that did not hold.
    """

    client: Client
    token: str
    report: Callable[[DemoEvent], None]
    failed: list[str] = field(default_factory=list)

    def progress(self, label: str, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of ``label`` are over."""
        self.report({"event": "progress", "label": label, "done": done, "total": total})

    def check(self, name: str, *, expected: object, actual: object) -> bool:
        """Compare, report, and remember a difference: it makes the demonstration exit with 1."""
        ok = expected == actual
        if not ok:
            self.failed.append(name)
        self.report({"event": "check", "name": name, "expected": expected, "actual": actual, "ok": ok})
        return ok

    def summary(self, text: str) -> None:
        """Report one sentence about what was shown."""
        self.report({"event": "summary", "text": text})
