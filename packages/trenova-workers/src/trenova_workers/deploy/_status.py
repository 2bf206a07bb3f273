"""What is known of a worker deployment at one moment. Frozen; the JSON of ``trenova-workers deploy``, only added to."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from trenova_workers.scaling import VersionState


class DeployDocument(BaseModel):
    """Frozen, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VersionChange(DeployDocument):
    """The last change that ``trenova-workers deploy`` made to a version, as it is kept on the server, in clear."""

    action: str
    """``ramp``, ``promote`` or ``rollback``; a rollout's steps are what they do."""
    reason: str = ""
    by: str = ""
    """Who; ``user@host`` from the command line."""
    at: datetime
    percent: float | None = None
    before: str | None = None
    """The build that was current before."""


class VersionStatus(DeployDocument):
    """One version of a deployment."""

    build_id: str
    state: VersionState
    """In the server's words: ``inactive`` has never had work by routing, ``draining`` may have open runs. The server
    tells ``drained`` some minutes late."""
    percent: float = 0.0
    """Share of new work, and of auto-upgrading runs, that goes here: 0 to 100."""
    workers: dict[str, int] = {}
    """Running workers by task queue, all that the version has ever polled. Draining and lost ones do not count."""
    backlog: int | None = None
    """Tasks that wait for this version, of all its queues; None where nobody can tell."""
    backlog_age_s: float | None = None
    arrival_rate: float | None = None
    """Tasks per second that came for this version, over about the last 30 s; None where nobody can tell."""
    dispatch_rate: float | None = None
    """Tasks per second that its workers took, likewise."""
    rate_limited: bool = False
    """Whether the server holds tasks of one of its queues back."""
    open_runs: int | None = None
    """Open runs that are on this version. Those that have not ended their first task are on none yet."""
    created: datetime | None = None
    last_current: datetime | None = None
    change: VersionChange | None = None

    @property
    def served(self) -> bool:
        """Whether some worker of it takes work now."""
        return any(self.workers.values())

    @property
    def unserved_queues(self) -> list[str]:
        """Queues that it has polled and that no worker of it polls now."""
        return sorted(queue for queue, count in self.workers.items() if not count)


class DeploymentStatus(DeployDocument):
    """A worker deployment with all its versions, the newest first."""

    name: str
    current: str | None = None
    """Build that takes what does not go to the ramping one; None while work goes to unversioned workers."""
    ramping: str | None = None
    percent: float = 0.0
    """Share of the ramping version, 0 to 100."""
    revision: int = 0
    """Goes up with each change of routing."""
    last_change_by: str = ""
    versions: tuple[VersionStatus, ...] = ()
    unversioned: dict[str, int] | None = None
    """Running workers without a version by task queue, of all queues that versions have polled; None where nobody
    asked."""

    def version(self, build_id: str | None) -> VersionStatus | None:
        """Return the version of this build; None where the server knows none."""
        return next((one for one in self.versions if one.build_id == build_id), None)
