"""What a check says: how bad, what was found, what to do, and what ``--fix`` can do about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Fix = Callable[[], Awaitable[str]]
"""Puts one thing right and returns what it did, as a sentence."""


class Severity(StrEnum):
    """How bad it is. Only a problem makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Diagnosis:
    """One thing that a check looked at.

    ``subject`` is what it is about: a service, a queue, a name. ``advice`` is what to do, empty where nothing is
    to be done. Neither ``found`` nor ``advice`` holds a secret. ``blind`` marks what could not be looked at because
    the check itself failed.
    """

    check: str
    severity: Severity
    subject: str
    found: str
    advice: str = ""
    fix: Fix | None = None
    fixed: str = ""
    blind: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return one line of ``--json``."""
        return {
            "check": self.check,
            "severity": str(self.severity),
            "subject": self.subject,
            "found": self.found,
            "advice": self.advice,
            "fixable": self.fix is not None,
            "fixed": self.fixed,
        }
