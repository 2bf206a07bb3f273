"""The processor time that something took: figures that other people's load on the machine changes least."""

import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Used:
    """Seconds of processor time.

    Attributes:
        here: In this process.
        server: In all processes of the PostgreSQL server, its vacuum and everybody's sessions among them.
    """

    here: float = 0.0
    server: float = 0.0


class Meter:
    """Counts from its making on.

    Args:
        server: The process id of the postmaster; None counts this process alone.
    """

    def __init__(self, server: int | None) -> None:
        self._server = psutil.Process(server) if server is not None else None
        self._begun = self._now()

    def used(self) -> Used:
        """Return what was used until now."""
        now = self._now()
        return Used(now.here - self._begun.here, now.server - self._begun.server)

    def _now(self) -> Used:
        return Used(time.process_time(), 0.0 if self._server is None else _with_children(self._server))


def _with_children(postmaster: psutil.Process) -> float:
    """Sum up a process, those of its children that ended, and those that live."""
    total = sum(postmaster.cpu_times()[:4])
    for child in postmaster.children():
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:  # it ended meanwhile, and is counted next time
            continue
    return total
