"""Which versions of a worker deployment need a worker at least, so that none waits for work that waits for it. Pure.

A version without pollers is never promoted, and one that drains without workers never ends its runs: a pool that scales
such a version to zero stands still for ever.
"""

from dataclasses import dataclass

from trenova_workers.deploy import DeploymentStatus, VersionStatus


@dataclass(frozen=True)
class NeededVersion:
    """A version that must not be without workers.

    Attributes:
        build_id: Its build.
        least: Workers that it needs at least.
        why: What would stand still without them, a sentence.
    """

    build_id: str
    least: int
    why: str


def needed_versions(status: DeploymentStatus, *, build: str | None = None) -> tuple[NeededVersion, ...]:
    """Return the versions that need a worker, in the order of ``status``; all others may go to zero.

    Args:
        status: Of the deployment, as it was read last.
        build: That the pool would start a worker of now. It is needed unless it has had its time, also while the server
            does not know it: its first worker is what makes the server know.
    """
    current = status.version(status.current)
    found = [NeededVersion(one.build_id, 1, why) for one in status.versions if (why := _why(one, current, build))]
    if build is not None and status.version(build) is None:
        found.append(NeededVersion(build, 1, f"{build} is new: without a worker the server does not learn of it."))
    return tuple(found)


def _why(version: VersionStatus, current: VersionStatus | None, build: str | None) -> str:
    """Return why a version needs a worker; empty if it does not."""
    name = version.build_id
    if version.state in {"current", "ramping"}:
        return f"{name} is {version.state}: new work goes to it."
    if version.open_runs:
        return f"{name} is {version.state} and has {version.open_runs} open runs, which end on it or move from it."
    if version.state in {"created", "inactive"}:
        if _awaits(version, current, build):
            return f"{name} awaits promotion: without a worker it is never ramped."
        return ""
    if version.state == "draining" and version.open_runs is None:
        return f"{name} is draining, and nobody knows how many of its runs are open."
    return ""


def _awaits(version: VersionStatus, current: VersionStatus | None, build: str | None) -> bool:
    """Whether a version that never had work is yet to come, rather than one that was passed over."""
    if version.build_id == build or current is None:
        return True
    if version.created is None or current.created is None:
        return True
    return version.created > current.created
