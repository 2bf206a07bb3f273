"""What a change of routing would be, and whether it may be made. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from trenova_errors import ConfigurationError
from trenova_workers.deploy._errors import DeploymentRefusedError
from trenova_workers.deploy._status import DeploymentStatus, VersionStatus

Action = Literal["ramp", "promote", "rollback"]

ALL: Final = 100.0
"""Percent."""


@dataclass(frozen=True)
class Plan:
    """One change of routing.

    Attributes:
        action: What was asked for.
        build_id: Of the version that is ramped, promoted or taken back.
        current: What is current afterwards; None leaves that alone.
        ramping: What ramps afterwards; None for nothing.
        percent: Of what ramps.
        needed: Whether anything has to be changed for it.
        said: What it comes to, a sentence.
        warnings: What somebody should see to.
    """

    action: Action
    build_id: str
    current: str | None
    ramping: str | None
    percent: float
    needed: bool
    said: str
    warnings: tuple[str, ...] = ()


def plan_ramp(status: DeploymentStatus, build_id: str, percent: float) -> Plan:
    """Plan to send a share of new work to a version.

    Raises:
        ConfigurationError: The server does not know the version, or the percentage is none.
        DeploymentRefusedError: Work would wait for workers that are not there, or another version ramps.
    """
    if not 0 < percent <= ALL:
        raise ConfigurationError(
            f"A ramp is above 0 and up to 100 %, not {percent:g}. To take one back, use 'rollback'."
        )
    version = _known(status, build_id)
    if status.current == build_id:
        raise DeploymentRefusedError(f"{build_id} is current already and takes all that does not ramp elsewhere.")
    _alone(status, build_id)
    _served(status, version)
    current = status.version(status.current)
    if current is not None and not current.served and percent < ALL:
        raise DeploymentRefusedError(
            f"No worker of {current.build_id}, which is current, runs, and {ALL - percent:g} % of the work would wait "
            f"for one. {_start(status, current.build_id)}, or promote {build_id}."
        )
    _rest_served(status, version, percent)
    there = status.ramping == build_id and status.percent == percent
    said = f"{percent:g} % of new work {'goes already' if there else 'goes'} to {build_id}"
    rest = f", the rest to {status.current or 'unversioned workers'}" if percent < ALL else ""
    return Plan("ramp", build_id, None, build_id, percent, needed=not there, said=f"{said}{rest}.")


def plan_promote(status: DeploymentStatus, build_id: str) -> Plan:
    """Plan to make a version current.

    Raises:
        ConfigurationError: The server does not know the version.
        DeploymentRefusedError: No worker of it runs, or one of its queues has none, or another version ramps.
    """
    version = _known(status, build_id)
    if status.current == build_id:
        said = f"{build_id} is current already."
        return Plan("promote", build_id, None, status.ramping, status.percent, needed=False, said=said)
    _alone(status, build_id)
    _served(status, version)
    warnings = keep_workers(status, status.current)
    said = f"All new work goes to {build_id}."
    return Plan("promote", build_id, build_id, None, 0.0, needed=True, said=said, warnings=warnings)


def plan_rollback(status: DeploymentStatus) -> Plan:
    """Plan to take back the ramping version, or, where none is, the current one in favour of the one before.

    Asked again it changes nothing: a version that became current by a rollback is not taken back by another.

    Raises:
        DeploymentRefusedError: There is nothing to go back to, or no worker of it runs.
    """
    if status.ramping is not None:
        where = status.current or "unversioned workers"
        warnings = (*keep_workers(status, status.ramping), *_unserved(status, status.current))
        said = f"No new work goes to {status.ramping}; it goes to {where}, and so do auto-upgrading runs."
        return Plan("rollback", status.ramping, None, None, 0.0, needed=True, said=said, warnings=warnings)
    current = status.version(status.current)
    if current is None:
        raise DeploymentRefusedError(f"{status.name} has neither a ramping nor a current version to take back.")
    change = current.change
    if change is not None and change.action == "rollback":
        gone = change.before or "another version"
        said = f"The last change was a rollback from {gone} to {current.build_id}. To go further back, promote."
        return Plan("rollback", gone, None, None, 0.0, needed=False, said=said)
    before = _before(status, current)
    if before is not None:
        if not before.served:
            raise DeploymentRefusedError(
                f"No worker of {before.build_id} runs, so what goes back to it would wait. "
                f"{_start(status, before.build_id)}."
            )
        said = f"All new work goes to {before.build_id} again."
        warnings = keep_workers(status, current.build_id)
        return Plan("rollback", current.build_id, before.build_id, None, 0.0, needed=True, said=said, warnings=warnings)
    raise DeploymentRefusedError(
        f"{current.build_id} is current and nothing ramps; no version was current before that the server still knows. "
        "Promote the one that is wanted."
    )


def keep_workers(status: DeploymentStatus, build_id: str | None) -> tuple[str, ...]:
    """Return what to see to for a version that gets no new work: its open runs need its workers to their end."""
    version = status.version(build_id)
    if version is None or not version.open_runs:
        return ()
    runs = f"{version.open_runs} open {'run is' if version.open_runs == 1 else 'runs are'} on {version.build_id}"
    if not version.served:
        return (f"{runs} and no worker of it runs. {_start(status, version.build_id)}.",)
    return (f"{runs}: keep at least one worker of it until 'deploy status' says drained.",)


def _unserved(status: DeploymentStatus, build_id: str | None) -> tuple[str, ...]:
    version = status.version(build_id)
    if version is None or version.served:
        return ()
    return (f"No worker of {version.build_id} runs, so work waits. {_start(status, version.build_id)}.",)


def _known(status: DeploymentStatus, build_id: str) -> VersionStatus:
    version = status.version(build_id)
    if version is None:
        known = ", ".join(one.build_id for one in status.versions) or "none"
        raise ConfigurationError(
            f"{status.name} has no version {build_id!r}; known are {known}. The server learns of one when its first "
            f"worker polls. {_start(status, build_id)}."
        )
    return version


def _alone(status: DeploymentStatus, build_id: str) -> None:
    if status.ramping not in {None, build_id}:
        raise DeploymentRefusedError(
            f"{status.ramping} is ramping at {status.percent:g} %. Promote it or roll it back before {build_id}."
        )


def _served(status: DeploymentStatus, version: VersionStatus) -> None:
    """Refuse a version to which work would go and wait."""
    if not version.served:
        raise DeploymentRefusedError(
            f"No worker of {version.build_id} runs, so what goes to it would wait for ever. "
            f"{_start(status, version.build_id)}."
        )
    current = status.version(status.current)
    queues = {queue for queue, count in current.workers.items() if count} if current else set()
    lacking = sorted(queues - {queue for queue, count in version.workers.items() if count})
    lacking = sorted({*lacking, *version.unserved_queues})
    if lacking:
        raise DeploymentRefusedError(
            f"No worker of {version.build_id} polls {', '.join(lacking)}, so what goes to it there would wait. "
            f"{_start(status, version.build_id)} for {'it' if len(lacking) == 1 else 'them'}."
        )


def _rest_served(status: DeploymentStatus, version: VersionStatus, percent: float) -> None:
    """Refuse a ramp where no version is current and no unversioned worker takes what does not go to it."""
    if status.current is not None or percent == ALL or status.unversioned is None:
        return
    lacking = [queue for queue in sorted(version.workers) if not status.unversioned.get(queue)]
    if not lacking:
        return
    served = [one.build_id for one in status.versions if one.served and one is not version]
    first = f"Promote {served[0]} first, which runs" if served else f"Promote {version.build_id}"
    raise DeploymentRefusedError(
        f"No version is current and no unversioned worker polls {', '.join(lacking)}, so {ALL - percent:g} % of the "
        f"work would wait. {first}, or start unversioned workers."
    )


def _before(status: DeploymentStatus, current: VersionStatus) -> VersionStatus | None:
    told = status.version(current.change.before) if current.change else None
    if told is not None and told.build_id != current.build_id:
        return told
    earlier = [one for one in status.versions if one.last_current is not None and one.build_id != current.build_id]
    return max(earlier, key=lambda one: one.last_current.timestamp() if one.last_current else 0, default=None)


def _start(status: DeploymentStatus, build_id: str) -> str:
    return (
        f"Start a worker of that release with worker.deployment.versioned: true, worker.deployment.name: {status.name} "
        f"and worker.build_id: {build_id}"
    )
