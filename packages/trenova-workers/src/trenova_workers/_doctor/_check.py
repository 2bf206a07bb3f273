"""What every check has: an id, what it looks at, and short ways to say what it found."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import ClassVar

from trenova_workers._doctor._diagnosis import Diagnosis, Fix, Severity
from trenova_workers._doctor._patient import Patient


class Need(StrEnum):
    """What is found out once, for all checks that look at it."""

    SERVICES = "services"
    """What the services say of themselves."""
    FINDINGS = "findings"
    """What the services' own checks find; they ask servers and databases, so not with ``--offline``."""
    CONNECTION = "connection"
    """A connection to the server, or why there is none."""
    SERVER = "server"
    """A connection; without one the check is skipped."""
    LOCAL = "local"
    """The running workers of this machine."""


class Check(ABC):
    """One thing to look at. A check changes nothing; what may be changed it hands out as the ``fix`` of a diagnosis."""

    id: ClassVar[str]
    about: ClassVar[str]
    """One line for the list of checks."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What has to be found out before; nothing else is, so that ``--only`` is quick."""

    @abstractmethod
    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Look, and say what was found; at least one line, so that nobody takes silence for health."""

    def ok(self, subject: str, found: str) -> Diagnosis:
        """It is as it should be."""
        return Diagnosis(self.id, Severity.OK, subject, found)

    def warning(self, subject: str, found: str, advice: str) -> Diagnosis:
        """It works, and will not always."""
        return Diagnosis(self.id, Severity.WARNING, subject, found, advice)

    def problem(self, subject: str, found: str, advice: str, fix: Fix | None = None) -> Diagnosis:
        """It does not work."""
        return Diagnosis(self.id, Severity.PROBLEM, subject, found, advice, fix)

    def refused(self, subject: str, message: str) -> Diagnosis:
        """It does not work, as a message of ours says; its last sentence is what to do."""
        found, _, advice = message.rpartition(". ")
        return self.problem(subject, found or message, advice if found else "Correct what it names.")

    def skipped(self, subject: str, reason: str) -> Diagnosis:
        """It was not looked at."""
        return Diagnosis(self.id, Severity.SKIPPED, subject, reason)
