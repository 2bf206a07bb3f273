"""The loads: what is pushed through a worker, how much of it, and what a profile has to reach with it.

The amounts are such that a measurement takes ten seconds to a minute on two cores, and that of what is blocked or
computes there is a multiple of the 100 slots that the SDK has. All is pushed at once, so that throughput is what
worker and server together can do, and waits are those of a backlog.
"""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from capacity.activities import make_document
from capacity.pushing import at_most
from capacity.site import Site
from capacity.waits import Task
from capacity.workflows import Chain, Echo, Fan, Trip

NEVER_SLOWER = 0.95
"""Least share of the default's throughput where a profile is not meant to gain any."""
FASTER = 1.5
"""Least multiple of the default's throughput where a profile is made for the load."""
ANSWER_S = 3.0
"""Seconds that the carrier takes: 100 slots then allow 33 answers a second, of which the server can do more."""

_DOCUMENT_BYTES = 256 * 1024
_UPDATES = 5
_PATIENCE_S = 120
# The local activities of one workflow are one workflow task, which has to end within ten seconds.
_BUILT_AT_ONCE = 4
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Load(ABC):
    """One kind of work, of so many workflows with ``each`` of something, ``at_once`` under way at a time."""

    workflows: int
    each: int
    at_once: int
    answer_s: float = 0.0
    """How long the carrier takes, for those that ask it."""

    title: ClassVar[str]
    unit: ClassVar[str] = "activities"
    profile: ClassVar[str]
    least_ratio: ClassVar[float] = NEVER_SLOWER
    task: ClassVar[Task] = "activity"
    """Whose waits are read."""
    builds: ClassVar[bool] = False
    """Whether `build` needs a worker of its own, which is gone when the one that is measured starts."""

    @property
    def items(self) -> int:
        """How many of its unit there are."""
        return self.workflows * self.each

    def describe(self) -> str:
        """Return one line that says what it is."""
        return f"{self.title}; {self.items} {self.unit} of {self.workflows} workflows, {self.at_once} at once"

    async def build(self, site: Site, word: str = "run") -> None:  # noqa: ARG002 (those that build use them)
        """Make what has to be there before the worker that is measured starts; by default nothing."""
        return

    async def warm_up(self, site: Site) -> None:
        """Do a little of the same, which nobody measures: connections, threads and processes are there afterwards."""
        little = replace(self, workflows=4, each=min(self.each, 10), at_once=4)
        await little.push(site, "warm-up")

    async def push(self, site: Site, word: str = "run") -> list[str]:
        """Push all of it through, and return the ids of the workflows once all have ended."""
        ids = self.ids(site, word)
        await at_most(self.at_once, (partial(self._one, site, one, number) for number, one in enumerate(ids)))
        return ids

    def ids(self, site: Site, word: str = "run") -> list[str]:
        """Return the ids of its workflows."""
        return [f"{site.queue}/{word}/{number}" for number in range(self.workflows)]

    @abstractmethod
    async def _one(self, site: Site, workflow_id: str, number: int) -> None:
        """Start one workflow and wait for its end."""


class BlockingIo(Load):
    """Activities that wait for somebody else."""

    title = "Plain activities, each blocked on a socket until a slow server answers"
    profile = "io"
    least_ratio = FASTER

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:  # noqa: ARG002 (all are alike)
        arguments = ["capacity.ask_carrier", [site.carrier_port] * self.each]
        await site.client.execute_workflow(Fan.run, args=arguments, id=workflow_id, task_queue=site.queue)


class Computing(Load):
    """Activities that hold the interpreter's lock."""

    title = "Plain activities, each computing in pure Python"
    profile = "cpu"
    least_ratio = FASTER

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:
        seeds = [number * self.each + seed for seed in range(self.each)]
        arguments = ["capacity.order_stops", seeds]
        await site.client.execute_workflow(Fan.run, args=arguments, id=workflow_id, task_queue=site.queue)


class LargePayloads(Load):
    """Activities whose arguments and results are large."""

    title = f"Activities that take and return {_DOCUMENT_BYTES // 1024} KiB, one after the other in a workflow"
    profile = "bulk"

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:  # noqa: ARG002
        arguments = ["capacity.reprice", make_document(_DOCUMENT_BYTES), self.each]
        await site.client.execute_workflow(Chain.run, args=arguments, id=workflow_id, task_queue=site.queue)


class LongHistories(Load):
    """Workflows that the worker has to replay first, because it is not the one that ran them."""

    title = f"{_UPDATES} updates to each workflow after a restart of the worker, so that the first replays its history"
    unit = "updates"
    profile = "mixed"
    task: ClassVar[Task] = "workflow task"
    builds = True

    @property
    def items(self) -> int:
        """Updates that are answered."""
        return self.workflows * _UPDATES

    def describe(self) -> str:
        """Return one line that says what it is."""
        size = f"{self.workflows} workflows of {self.each} local activities, {self.at_once} at once"
        return f"{self.title}; {self.items} updates of {size}"

    async def build(self, site: Site, word: str = "run") -> None:
        """Start the workflows, and return when all have their long histories."""
        await at_most(_BUILT_AT_ONCE, (partial(self._start, site, one) for one in self.ids(site, word)))

    async def warm_up(self, site: Site) -> None:
        """Do the same with workflows that this worker has run itself, and so need no replay."""
        little = replace(self, workflows=4, each=8, at_once=4)
        await little.build(site, "warm-up")
        await little.push(site, "warm-up")

    async def _start(self, site: Site, workflow_id: str) -> None:
        handle = await site.client.start_workflow(
            Trip.run, args=[self.each, _UPDATES], id=workflow_id, task_queue=site.queue
        )
        async with asyncio.timeout(_PATIENCE_S):
            while await handle.query(Trip.noted) < self.each:  # noqa: ASYNC110 (another process notes)
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:  # noqa: ARG002
        handle = site.client.get_workflow_handle(workflow_id)
        for _ in range(_UPDATES):
            await handle.execute_update("arrive")
        await handle.result()


class Trivial(Load):
    """Workflows without anything in them."""

    title = "Workflows that return what they are given"
    unit = "workflows"
    profile = "mixed"
    task: ClassVar[Task] = "workflow task"

    def describe(self) -> str:
        """Return one line that says what it is."""
        return f"{self.title}; {self.workflows}, {self.at_once} at once"

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:
        await site.client.execute_workflow(Echo.run, number, id=workflow_id, task_queue=site.queue)


LOADS: dict[str, Load] = {
    "io": BlockingIo(workflows=40, each=20, at_once=40, answer_s=ANSWER_S),
    "cpu": Computing(workflows=20, each=20, at_once=20),
    "payloads": LargePayloads(workflows=40, each=6, at_once=10),
    "histories": LongHistories(workflows=40, each=100, at_once=8),
    "trivial": Trivial(workflows=400, each=1, at_once=40),
}
"""What is measured, by the name that ``--loads`` takes."""

QUICK: dict[str, Load] = {
    "io": BlockingIo(workflows=4, each=10, at_once=4, answer_s=0.5),
    "cpu": Computing(workflows=2, each=4, at_once=2),
    "payloads": LargePayloads(workflows=4, each=2, at_once=4),
    "histories": LongHistories(workflows=4, each=20, at_once=4),
    "trivial": Trivial(workflows=20, each=1, at_once=10),
}
"""The least of each that shows that it works; too little to judge anything by."""
