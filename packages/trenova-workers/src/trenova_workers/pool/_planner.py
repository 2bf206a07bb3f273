"""What is done next for each part of a pool, as far as its backend can do it."""

from collections.abc import Mapping
from dataclasses import replace

from trenova_workers.pool._backend import Backend
from trenova_workers.pool._crashes import CrashVerdict
from trenova_workers.pool._parts import Parts
from trenova_workers.pool._plan import Plan, plan


class Planner:
    """Plans for one pool.

    Args:
        backend: Of the pool.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def plans(self, parts: Parts, build: str, crashes: Mapping[str, CrashVerdict]) -> tuple[dict[str, Plan], list[str]]:
        """Return what is done next, by the build that is started for it, and what would be and cannot, in sentences.

        Args:
            parts: Of the pool, and how many workers each should have.
            build: What the pool starts a worker of now.
            crashes: What may be started, by part.
        """
        plans, stuck = {}, []
        for part, verdict in crashes.items():
            wanted = self.plan(parts, part, parts.wanted_of(part), build, verdict.may_start)
            cannot = self._backend.cannot_start(part) if part and wanted.start else ""
            if cannot:
                stuck.append(f"Version {part} should have {wanted.start} more workers, and {cannot}")
            plans[part or build] = replace(wanted, start=0) if cannot else wanted
        return plans, stuck

    def plan(self, parts: Parts, part: str, desired: int, build: str, may_start: int | None = None) -> Plan:
        """Return what brings a part nearer to what it should be; workers of a version are of no other build."""
        replaces = self._backend.capabilities.replaces_builds
        return plan(desired, parts.of(part).workers, part or build if replaces else None, may_start=may_start)
