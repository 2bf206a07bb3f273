"""Brings a new version in step by step, watches how it does, and takes it back by itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers.deploy._errors import DeploymentConflictError
from trenova_workers.deploy._operator import Changed, Operator
from trenova_workers.deploy._outcomes import OutcomeWatch
from trenova_workers.deploy._plans import ALL, keep_workers, plan_promote, plan_ramp
from trenova_workers.deploy._status import DeployDocument, DeploymentStatus
from trenova_workers.deploy._verdict import RolloutThresholds, Verdict, judge, reference

Outcome = Literal["promoted", "ramped", "held", "rolled back", "planned"]

_LOOKS_WITHOUT_WORKERS = 2
_LOOKS_WITHOUT_SERVER = 10


class RolloutOptions(DeployDocument):
    """How a rollout goes."""

    steps: tuple[float, ...] = (10, 50, 100)
    """Shares of new work in percent, ascending. After one of 100 the version is promoted."""
    bake_s: float = Field(default=60, gt=0, allow_inf_nan=False)
    """Seconds that each step is watched at least."""
    longest_bake_s: float = Field(default=3600, gt=0, allow_inf_nan=False)
    """Seconds after which a step is held where too little has ended to judge it."""
    every_s: float = Field(default=5, gt=0, allow_inf_nan=False)
    """Seconds between two looks."""
    thresholds: RolloutThresholds = RolloutThresholds()

    @field_validator("steps")
    @classmethod
    def _ascending(cls, steps: tuple[float, ...]) -> tuple[float, ...]:
        if not steps or list(steps) != sorted(set(steps)) or not 0 < steps[0] <= steps[-1] <= ALL:
            raise ValueError(f"steps are percentages above 0 and up to 100 that go up, e.g. 10,50,100; got {steps!r}")
        return steps

    @model_validator(mode="after")
    def _longest_is_longer(self) -> Self:
        if self.longest_bake_s < self.bake_s:
            raise ValueError(f"longest_bake_s ({self.longest_bake_s:g}) is below bake_s ({self.bake_s:g}); raise it")
        return self


class RolloutEvent(DeployDocument):
    """One line of what a rollout does; the last one has the outcome.

    ``held`` leaves the ramp as it is: the same command goes on from there.
    """

    deployment: str
    build_id: str
    percent: float
    said: str
    outcome: Outcome | None = None
    warnings: tuple[str, ...] = ()


class Rollout:
    """One rollout of one version.

    It may be ended at any time, and leaves the ramp as it is; another goes on at the step where this one was.

    Args:
        client: Needs permission to change worker deployments, and to read visibility and workers.
        operator: Of the deployment.
        build_id: Of the version.
        options: How.
        report: Told each line.
    """

    def __init__(
        self,
        client: Client,
        operator: Operator,
        build_id: str,
        options: RolloutOptions,
        report: Callable[[RolloutEvent], None],
    ) -> None:
        self._client, self._operator, self._build, self._options = client, operator, build_id, options
        self._report = report
        self._percent = 0.0
        self._name = operator.reader.name

    async def run(self, *, reason: str = "", dry_run: bool = False) -> RolloutEvent:
        """Roll out and return the outcome.

        Args:
            reason: Why, kept with the version.
            dry_run: Check and tell the steps, and change nothing.

        Raises:
            ConfigurationError: There is no such deployment or version.
            DeploymentRefusedError: Work would wait for workers that are not there; as it is before the refused step.
            DeploymentConflictError: Somebody else has changed the routing; it is left as they made it.
            RPCError: The server cannot be asked; the ramp is left as it is.
        """
        status = await self._operator.reader.read()
        if status.current == self._build:
            self._percent = ALL
            return self._end("promoted", f"{self._build} is current already.")
        self._percent = status.percent if status.ramping == self._build else 0.0
        steps = [step for step in self._options.steps if step >= self._percent] or [self._percent]
        if dry_run:
            return self._planned(status, steps)
        revision = status.revision
        for step in steps:
            watch = self._watch(status)
            await watch.look()
            changed = await self._operator.ramp(self._build, step, reason=reason, revision=revision)
            revision = self._stepped(changed)
            if (ended := await self._bake(watch, status.current, revision)) is not None:
                return ended
        if steps[-1] < ALL:
            return self._end("ramped", f"{self._build} stays at {steps[-1]:g} %. Promote it, or roll it back.")
        promoted = await self._operator.promote(self._build, reason=reason, revision=revision)
        return self._end("promoted", promoted.said, promoted.warnings)

    def _planned(self, status: DeploymentStatus, steps: list[float]) -> RolloutEvent:
        for step in steps:
            self._percent = step
            self._say(f"{plan_ramp(status, self._build, step).said} It is watched for {self._options.bake_s:g} s.")
        if steps[-1] < ALL:
            return self._end("planned", f"It stays at {steps[-1]:g} %.")
        promoted = plan_promote(status, self._build)
        return self._end("planned", promoted.said, promoted.warnings)

    def _watch(self, status: DeploymentStatus) -> OutcomeWatch:
        builds = [self._build, *([status.current] if status.current else [])]
        queues = {queue for build in builds if (version := status.version(build)) for queue in version.workers}
        return OutcomeWatch(self._client, self._name, tuple(builds), frozenset(queues))

    async def _bake(self, watch: OutcomeWatch, old: str | None, revision: int) -> RolloutEvent | None:
        """Watch one step; return the end of the rollout, or None to go on."""
        began = time.monotonic()
        unserved = missed = 0
        while True:
            await asyncio.sleep(self._options.every_s)
            try:
                status, verdict = await self._operator.reader.read(), await self._judge(watch, old)
            except RPCError as error:
                missed += 1
                if missed >= _LOOKS_WITHOUT_SERVER:
                    raise
                self._say(f"The server does not answer, it is asked again: {error.message.rstrip('.')}.")
                continue
            missed = 0
            self._refuse_others(status, revision)
            new, before = status.version(self._build), status.version(old)
            unserved = unserved + 1 if new is None or new.unserved_queues else 0
            if unserved >= _LOOKS_WITHOUT_WORKERS:
                return await self._take_back(f"{self._build} has lost its workers.", revision)
            if before is not None and not before.served and self._percent < ALL:
                said = f"{old} has lost its workers, and the rest of the work waits for one. Start it, then go on."
                return self._end("held", said, keep_workers(status, old))
            passed = time.monotonic() - began
            if verdict.says == "worse":
                return await self._take_back(verdict.why, revision)
            if verdict.says == "well" and passed >= self._options.bake_s:
                self._say(verdict.why)
                return None
            if passed >= self._options.longest_bake_s:
                again = "The ramp stays; the same command goes on from here, 'promote' does not wait."
                return self._end("held", f"{verdict.why} {again}")

    async def _judge(self, watch: OutcomeWatch, old: str | None) -> Verdict:
        outcomes = await watch.look()
        thresholds = self._options.thresholds
        before = reference(outcomes[old], watch.ever(old), thresholds.samples) if old else {}
        return judge(before, outcomes[self._build], thresholds)

    def _refuse_others(self, status: DeploymentStatus, revision: int) -> None:
        if status.revision != revision:
            raise DeploymentConflictError(
                f"{status.last_change_by or 'Somebody else'} has changed the routing of {self._name!r} during the "
                f"rollout of {self._build}: current is {status.current or 'nothing'}, ramping "
                f"{status.ramping or 'nothing'} ({status.percent:g} %). It is left like that; decide again.",
                deployment=self._name,
            )

    async def _take_back(self, why: str, revision: int) -> RolloutEvent:
        self._say(f"Stopped: {why}")
        back = await self._back(why, revision)
        self._percent = 0.0
        return self._end("rolled back", f"{why} {back.said}", back.warnings)

    async def _back(self, why: str, revision: int) -> Changed:
        """Roll back; a server that does not answer is asked again, for a version that does worse must not stay.

        It may have done what was asked and only its answer was lost. The routing is then what we wanted, and by us.
        """
        asked = 0
        while True:
            try:
                return await self._operator.rollback(reason=why, revision=revision)
            except DeploymentConflictError:
                done = await self._operator.rolled_back(self._build, reason=why, after=revision) if asked else None
                if done is None:
                    raise
                return done
            except RPCError as error:
                asked += 1
                if asked > _LOOKS_WITHOUT_SERVER:
                    raise
                self._say(f"It is not taken back yet, the server does not answer: {error.message.rstrip('.')}.")
                await asyncio.sleep(self._options.every_s)

    def _stepped(self, changed: Changed) -> int:
        self._percent = changed.percent
        self._report(self._event(changed.said, warnings=changed.warnings))
        return changed.revision

    def _say(self, said: str) -> None:
        self._report(self._event(said))

    def _end(self, outcome: Outcome, said: str, warnings: tuple[str, ...] = ()) -> RolloutEvent:
        event = self._event(said, outcome=outcome, warnings=warnings)
        self._report(event)
        return event

    def _event(self, said: str, *, outcome: Outcome | None = None, warnings: tuple[str, ...] = ()) -> RolloutEvent:
        return RolloutEvent(
            deployment=self._name,
            build_id=self._build,
            percent=self._percent,
            said=said,
            outcome=outcome,
            warnings=warnings,
        )
