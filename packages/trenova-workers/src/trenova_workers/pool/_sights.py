"""What the parts of a pool are judged by: all of it as one, or each version of its workers by itself. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trenova_workers.deploy import DeploymentStatus, VersionStatus
from trenova_workers.pool._figures import Figures
from trenova_workers.pool._versions import NeededVersion, needed_versions
from trenova_workers.scaling import ScalingPolicy, VersionState

WHOLE: Final = ""
"""The build of the only part of a pool whose workers are not versioned."""
_ALL: Final = 100.0
_UNREAD: Final = Figures(None)


@dataclass(frozen=True)
class Sight:
    """One part of a pool.

    Attributes:
        build: Whose version this is; `WHOLE` for a pool without versions.
        figures: Its load, without workers.
        state: Of the version, as the control law is told it: what may go is ``drained``, what must not is not.
        told: Of the version, in the server's words.
        leads: Whether the pool's policy and overrides are about this part; the others are kept for the work they have.
        share: Percent of new work that goes to it.
        needed: What would stand still without it, and how many workers that takes; None if nothing would.
    """

    build: str = WHOLE
    figures: Figures = _UNREAD
    state: VersionState = "unversioned"
    told: VersionState = "unversioned"
    leads: bool = True
    share: float = _ALL
    needed: NeededVersion | None = None

    @property
    def least(self) -> int:
        """Workers that it needs whatever its load."""
        return self.needed.least if self.needed else 0

    def policy(self, policy: ScalingPolicy) -> ScalingPolicy:
        """Return the policy of this part: only the part that leads has a minimum."""
        return policy if self.leads else policy.model_copy(update={"min_workers": 0})

    def said(self, why: str) -> str:
        """Return a sentence about it that says which version it is about."""
        if self.build == WHOLE:
            return why
        return f"{self.build}: {why}" if self.told == "unversioned" else f"{self.build} ({self.told}): {why}"


def sights_of(
    status: DeploymentStatus | None,
    *,
    build: str,
    there: Collection[str],
    at: datetime,
    since: Mapping[str, datetime],
) -> dict[str, Sight]:
    """Return the versions of a pool that need workers, have work or have workers, by build; those with most first.

    Args:
        status: Of its worker deployment; None if it could not be read, and then all parts stay as they are.
        build: What the pool would start a worker of now.
        there: Builds of which it has workers, or should.
        at: When it was read.
        since: When the server first said the figures of each version; a version without is as of ``at``.
    """
    if status is None:
        return {one: Sight(one, leads=False) for one in sorted({*there, build})}
    needed = {one.build_id: one for one in needed_versions(status, build=build)}
    busy = {one.build_id for one in status.versions if one.backlog}
    lead = status.current or build
    found = {
        one: _sight(one, status, needed.get(one), leads=one == lead, read_at=since.get(one, at))
        for one in sorted({*needed, *busy, *there})
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].share, not item[1].leads, item[0])))


def _sight(
    build: str, status: DeploymentStatus, needed: NeededVersion | None, *, leads: bool, read_at: datetime
) -> Sight:
    version = status.version(build)
    told: VersionState = "created" if version is None else version.state
    share = 0.0 if version is None else version.percent
    return Sight(
        build=build,
        figures=_figures(version, read_at),
        state="drained" if needed is None else "draining" if told == "drained" else told,
        told=told,
        leads=leads,
        share=_ALL if leads and status.current is None else share,
        needed=needed,
    )


def _figures(version: VersionStatus | None, read_at: datetime) -> Figures:
    """Return the load of a version; one that the server does not know, or has done with, has none."""
    if version is None:
        return Figures(read_at, 0.0, 0.0, 0.0, 0.0, open_workflows=0.0)
    done = version.state == "drained" and not version.open_runs and version.backlog is None
    backlog = 0.0 if done else version.backlog
    return Figures(
        read_at=read_at,
        backlog=backlog,
        backlog_age_s=0.0 if not backlog else version.backlog_age_s,
        arrival_rate=0.0 if done else version.arrival_rate,
        dispatch_rate=0.0 if done else version.dispatch_rate,
        rate_limited=version.rate_limited,
        open_workflows=version.open_runs,
    )


def shared_out(wanted: Mapping[str, int], sights: Mapping[str, Sight], allowed: int) -> dict[str, int]:
    """Return how many workers each part has of what the pool may have: first what it needs at least, then by rank.

    Args:
        wanted: By each part, in the order of ``sights``.
        sights: The parts, the most important first.
        allowed: Workers. What parts need at least they have whatever it is.
    """
    shares = {build: min(count, sights[build].least) for build, count in wanted.items()}
    left = max(0, allowed - sum(shares.values()))
    for build in [one for one in sights if one in wanted]:
        more = min(left, wanted[build] - shares[build])
        shares[build] += more
        left -= more
    return shares
