"""A burst on a pool of one: it grows, holds its target, shrinks, and no attempt is lost or repeated."""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sample_worker._errands import Errand
from temporalio.client import Client

from real.accounts import History, Told, count_open, effects, quantile, read_histories, read_ledger
from real.real_site import RealSite
from real.records import Records, Row, Worker
from real.verdicts import Verdict

_AT_ONCE = 12
_LOOK_S = 1.0
_WINDOW_S = 600.0


@dataclass(frozen=True)
class BurstOptions:
    """A burst, the workers, and the policy that is to cope with it.

    Attributes:
        workflows: Started at once.
        seconds: That each takes, waiting.
        slots: Activities that a worker does at once.
        policy: Of the pool.
        patience_s: Until everything has to be over.
        nice: Priority of the Temporal server, where other work of the machine would slow it.
    """

    workflows: int = 2000
    seconds: float = 16.0
    slots: int = 16
    policy: Mapping[str, Any] = field(
        default_factory=lambda: {
            "min_workers": 1,
            "max_workers": 12,
            "wait_target_s": 300,
            "poll_s": 5,
            "start_s": 10,
            "down_cooldown_s": 45,
        }
    )
    patience_s: float = 1500.0
    nice: int = 0


@dataclass(frozen=True)
class BurstRun:
    """What happened. Times are seconds since the epoch."""

    options: BurstOptions
    began: float
    started: float
    completed: float
    back: float
    decisions: list[Row]
    workers: list[Worker]
    histories: list[History]
    ledger: dict[str, Told]
    delivered: set[str]
    left_over: set[int]


async def run_burst(folder: Path, options: BurstOptions, say: Callable[[str], None] = print) -> BurstRun:
    """Start a pool of one, then the burst; return when the pool is back at its least and all is drained.

    Raises:
        TimeoutError: It is not over within the patience.
    """
    site = RealSite(folder, slots=options.slots, policy=options.policy, kept=False, nice=options.nice)
    try:
        async with asyncio.timeout(options.patience_s):
            return await _run(site, options, say)
    finally:
        site.clean()


async def _run(site: RealSite, options: BurstOptions, say: Callable[[str], None]) -> BurstRun:
    site.server.start()
    client, records = await site.server.connect(), Records(site.database)
    site.start_manager()
    least = options.policy["min_workers"]
    await _until(lambda: _settled(records, least))
    say(f"a pool of {least} is steady; {options.workflows} workflows are started")
    began = time.time()
    names = [f"burst-{number:06d}" for number in range(options.workflows)]
    await _start(client, site.queue, names, options.seconds)
    started = time.time()
    say(f"{started - began:.1f} s later all are")
    while (left := await count_open(client, site.queue)) or len(effects(site.ledger)) < len(names):
        state = records.state() or {}
        there = f"{state.get('desired')} workers wanted, {len(site.pids())} there"
        say(f"{time.time() - began:6.1f} s: {left} open, {there}")
        await asyncio.sleep(5 * _LOOK_S)
    completed = time.time()
    say(f"{completed - began:.1f} s: all are completed")
    await _until(lambda: _settled(records, least))
    back = time.time()
    say(f"{back - began:.1f} s: the pool is back at {least}")
    histories = await read_histories(client, names)
    workers = records.workers()
    left_over = await asyncio.to_thread(site.drain)
    return BurstRun(
        options,
        began,
        started,
        completed,
        back,
        records.decisions(),
        workers,
        histories,
        read_ledger(site.ledger),
        effects(site.ledger),
        left_over,
    )


async def _start(client: Client, queue: str, names: list[str], seconds: float) -> None:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with limit:
            await client.start_workflow(Errand.run, args=[seconds, None], id=name, task_queue=queue)

    await asyncio.gather(*map(one, names))


async def _until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await asyncio.sleep(_LOOK_S)


def _settled(records: Records, count: int) -> bool:
    state = records.state()
    if state is None:
        return False
    counts = state["document"]["counts"]
    return state["desired"] == counts["running"] == count and not counts["starting"] + counts["draining"]


def turns(decisions: list[Row]) -> int:
    """Return the changes of direction in the worst ten minutes."""
    changes = [
        (one.at, one.told["desired"] > one.told["before"])
        for one in decisions
        if one.told["desired"] != one.told["before"]
    ]
    turned = [later[0] for earlier, later in itertools.pairwise(changes) if earlier[1] != later[1]]
    return max((sum(at <= one < at + _WINDOW_S for one in turned) for at in turned), default=0)


@dataclass(frozen=True)
class BurstFigures:
    """What a run comes to."""

    run: BurstRun

    @property
    def during(self) -> list[Row]:
        """The decisions from the first that could see the burst on."""
        return [one for one in self.run.decisions if one.at >= self.run.began]

    @property
    def peak(self) -> int:
        """The most workers that were wanted."""
        return max(one.told["desired"] for one in self.during)

    @property
    def polls(self) -> int:
        """Decisions until the most were wanted."""
        return next(n for n, one in enumerate(self.during, 1) if one.told["desired"] == self.peak)

    @property
    def all_ran_s(self) -> float:
        """Seconds from the burst until as many workers took tasks as were ever wanted."""
        ready = sorted(one.ready for one in self.run.workers if one.ready is not None)
        return ready[self.peak - 1] - self.run.began if len(ready) >= self.peak else float("inf")

    @property
    def worker_s(self) -> float:
        """Seconds of all workers together, from the burst until the pool was back."""
        return sum(
            max(0.0, min(one.ended or self.run.back, self.run.back) - max(one.started, self.run.began))
            for one in self.run.workers
        )

    @property
    def work_s(self) -> float:
        """The least that this can be: all slots in use until all is done."""
        return self.run.options.workflows * self.run.options.seconds / self.run.options.slots

    @property
    def waits(self) -> list[float]:
        """Schedule-to-start of every activity, from its history."""
        return [one.wait_s for one in self.run.histories]

    @property
    def repeated(self) -> list[str]:
        """Workflows that did not have exactly one attempt, with one start, one end and one effect."""
        return [
            one.workflow
            for one in self.run.histories
            if not one.completed
            or one.attempt != 1
            or (told := self.run.ledger.get(one.workflow, Told())).made != 1
            or [attempt for attempt, _ in told.started] != [1]
            or list(told.ended.values()) != ["result"]
        ]

    def table(self) -> dict[str, object]:
        """Return the figures by what they are."""
        run, waits = self.run, self.waits
        first = [one.first_task_s for one in run.histories]
        shares = (0.5, 0.95, 0.99)
        return {
            "workflows": f"{run.options.workflows}, {run.options.seconds:g} s each; {run.options.slots} slots a worker",
            "all started after": f"{run.started - run.began:.1f} s",
            "all completed after": f"{run.completed - run.began:.1f} s",
            "back at the least after": f"{run.back - run.began:.1f} s",
            "schedule-to-start p50, p95, p99, most": " ".join(f"{quantile(waits, one):.1f}" for one in (*shares, 1))
            + " s",
            "the same of first workflow tasks": " ".join(f"{quantile(first, one):.1f}" for one in (*shares, 1)) + " s",
            "most workers": f"{self.peak}, wanted at decision {self.polls}, all at work after {self.all_ran_s:.1f} s",
            "worker-seconds": f"{self.worker_s:.0f}, {self.worker_s / self.work_s:.2f} x the work ({self.work_s:.0f})",
            "decisions": " ".join(
                f"{one.told['before']}>{one.told['desired']}"
                for one in self.during
                if one.told["before"] != one.told["desired"]
            ),
        }

    def verdicts(self) -> list[Verdict]:
        """Judge it."""
        run, least = self.run, self.run.options.policy["min_workers"]
        target, p95 = run.options.policy["wait_target_s"], quantile(self.waits, 0.95)
        names = {one.workflow for one in run.histories}
        return [
            Verdict("the pool grows", f"{least} -> {self.peak}", f"more than {least}", self.peak > least),
            Verdict(
                "95 of 100 tasks of the whole burst start within",
                f"{p95:.1f} s",
                f"at most {target} s, no transient left out",
                p95 <= target,
            ),
            Verdict("workflows not done by one attempt, once", len(self.repeated), "0 of all", not self.repeated),
            Verdict("deliveries", len(run.delivered), f"{len(names)}, one each", run.delivered == names),
            Verdict("workers wanted in the end", run.decisions[-1].told["desired"], str(least), self._back),
            Verdict(
                "changes of direction within ten minutes", turns(self.during), "at most 1", turns(self.during) <= 1
            ),
            Verdict("processes left after the drain", len(run.left_over), "0", not run.left_over),
        ]

    @property
    def _back(self) -> bool:
        last = [one for one in self.during if one.at <= self.run.back]
        return last[-1].told["desired"] == self.run.options.policy["min_workers"]
