"""What the control law asks for the parts of a pool in one observation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trenova_workers.pool._sights import Sight, shared_out
from trenova_workers.pool.store import KeptDecision
from trenova_workers.scaling import Decision, Observation, ScalingPolicy, ScalingState

Decide = Callable[[Observation, ScalingState, ScalingPolicy], Decision]
"""The control law."""


@dataclass(frozen=True)
class Asked:
    """One decision for each part.

    Attributes:
        pool: Name of the pool.
        decisions: By the builds of versions, the most important first; of a pool without versions there is one.
        sights: What each was judged by.
        most: Workers that the policy allows the pool; what versions need at least comes on top.
        stuck: Versions of which no worker can be started, and how many they have: no more are wanted than they need.
    """

    pool: str
    decisions: Mapping[str, Decision]
    sights: Mapping[str, Sight]
    most: int
    stuck: Mapping[str, int] = field(default_factory=dict)

    @property
    def desired(self) -> int:
        """Workers of all parts together."""
        return sum(self.shared_out(self.most).values())

    @property
    def least(self) -> int:
        """Workers that versions need whatever their load."""
        return sum(sight.least for sight in self.sights.values())

    def shared_out(self, allowed: int) -> dict[str, int]:
        """Return how many of so many workers each part has."""
        wanted = {build: decision.desired for build, decision in self.decisions.items()}
        for build, there in self.stuck.items():
            wanted[build] = min(wanted[build], max(there, self.sights[build].least))
        return shared_out(wanted, self.sights, min(allowed, self.most))

    def said(self, build: str) -> str:
        """Return the sentence of a decision; of a version also which it is, and what would stand still without it."""
        decision, sight = self.decisions[build], self.sights[build]
        needed = sight.needed.why if sight.needed and decision.clamp == "version" else ""
        return sight.said(" ".join(filter(None, [decision.why, needed])))

    def kept_budget(self, *, before: int, allowed: int, why: str) -> KeptDecision:
        """Return what is kept of another number that other pools leave it.

        Args:
            before: Workers that it was to have.
            allowed: Those that it may have now.
            why: Why not all that it asked for; empty if it may.
        """
        return KeptDecision(
            pool=self.pool,
            action="up" if allowed > before else "down",
            before=before,
            desired=allowed,
            why=why or "The budget has again what it wants.",
            document={"trigger": "budget", "asked": self.desired, "allowed": allowed},
        )

    def kept(self, build: str, *, before: int, desired: int, why: str, missing: tuple[str, ...]) -> KeptDecision:
        """Return a decision as it is kept.

        Args:
            build: Of which part.
            before: Workers that it should have had.
            desired: And has from now on.
            why: Why it has not what was asked for; empty if it has.
            missing: What could not be read.
        """
        decision = self.decisions[build]
        document = decision.model_dump(mode="json", by_alias=True)
        version = {"build": build, "version": self.sights[build].told} if build else {}
        said = self.said(build)
        if why and desired != decision.desired:  # the law's sentence would say another number than there is
            said = f"{why} By itself: {said}"
        elif why:
            said = f"{said} {why}"
        return KeptDecision(
            pool=self.pool,
            action="up" if desired > before else "down" if desired < before else "hold",
            before=before,
            desired=desired,
            why=said,
            document={**document, **version, "allowed": desired, "missing": list(missing)},
        )
