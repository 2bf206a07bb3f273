"""Workers, managers and the server are killed at random under load; afterwards everything is counted."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sample_worker._errands import Errand
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from real.accounts import History, Told, count_open, effects, read_histories, read_ledger
from real.real_site import RealSite
from real.records import Records, Row, Worker

_LOOK_S = 1.0
_TELL_EVERY_S = 15.0
_ACTING = 0.75


@dataclass(frozen=True)
class ChaosOptions:
    """How long, how hard, and on what.

    Attributes:
        seconds: For which there are kills.
        seed: Of all chance.
        every_s: Between two kills, on average.
        rate: Workflows that are started per second.
        longest_s: That a workflow takes at most; at least a quarter of it.
        slots: Activities that a worker does at once.
        policy: Of the pool.
        settle_s: In which the pool has to be at its number after the last kill, and again after the load.
    """

    seconds: float = 600.0
    seed: int = 1
    every_s: float = 9.0
    rate: float = 4.0
    longest_s: float = 4.0
    slots: int = 4
    policy: Mapping[str, Any] = field(
        default_factory=lambda: {
            "min_workers": 2,
            "max_workers": 6,
            "wait_target_s": 30,
            "poll_s": 5,
            "start_s": 10,
            "down_cooldown_s": 45,
        }
    )
    settle_s: float = 300.0


@dataclass
class Blows:
    """What was done to whom, when."""

    at: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    killed: set[int] = field(default_factory=set)

    def note(self, what: str) -> None:
        self.at[what].append(time.time())


@dataclass(frozen=True)
class ChaosRun:
    """What happened. Times are seconds since the epoch."""

    options: ChaosOptions
    began: float
    calmed: float
    settled_s: float | None
    completed: float
    back_s: float | None
    blows: Blows
    names: list[str]
    decisions: list[Row]
    audit: list[Row]
    changed: list[str]
    workers: list[Worker]
    orphans: set[int]
    unborn: list[int]
    state: dict[str, Any]
    left_over: set[int]
    histories: list[History]
    ledger: dict[str, Told]
    delivered: set[str]


async def run_chaos(folder: Path, options: ChaosOptions, say: Callable[[str], None] = print) -> ChaosRun:
    """Run it all; whatever it started is gone afterwards.

    Raises:
        TimeoutError: It is not over within the time of the kills and some minutes more.
    """
    crashes = {"crashes": 1000, "first_delay_s": 0.5, "longest_delay_s": 3}
    site = RealSite(folder, slots=options.slots, policy=options.policy, kept=True, crashes=crashes)
    try:
        async with asyncio.timeout(options.seconds + 3 * options.settle_s + 120):
            return await _Chaos(site, options, say).run()
    finally:
        site.clean()


class _Chaos:
    """One run."""

    def __init__(self, site: RealSite, options: ChaosOptions, say: Callable[[str], None]) -> None:
        self._site, self._options, self._began = site, options, time.time()
        self._random = random.Random(options.seed)
        self._say = lambda line: say(f"{time.time() - self._began:7.1f} s  {line}")
        self._records = Records(site.database)
        self._blows = Blows()
        self._names: list[str] = []
        self._managers: list[Any] = []
        self._seen: dict[str, dict[int, Row]] = {"decisions": {}, "audit": {}}
        self._changed: list[str] = []

    async def run(self) -> ChaosRun:
        site, options = self._site, self._options
        site.server.start()
        client = await site.server.connect()
        self._managers = [site.start_manager(), site.start_manager()]
        await self._until(lambda: self._right() and len(site.pids()) >= options.policy["min_workers"], 120)
        self._say("the pool is there; load and kills begin")
        self._began = began = time.time()
        over = asyncio.Event()
        load = asyncio.create_task(self._load(client, over))
        watch = asyncio.create_task(self._watch())
        await self._strike(began + options.seconds)
        calmed = time.time()
        self._say("the last kill was that; the load goes on")
        settled_s = await self._until(self._right, options.settle_s)
        over.set()
        await load
        self._say(f"the load is over; {len(self._names)} workflows were started")
        await self._all_done(client)
        completed = time.time()
        self._say("all workflows are closed")
        least = options.policy["min_workers"]
        back_s = await self._until(lambda: self._right() and self._desired() == least, options.settle_s)
        watch.cancel()
        self._look_again()
        state = self._records.state() or {}
        alive = {one.pid for one in self._records.workers() if one.ended is None}
        orphans, unborn = site.pids() ^ alive, site.unborn()
        workers, decisions, audit = self._records.workers(), self._records.decisions(), self._records.audit()
        histories = await read_histories(client, self._names)
        left_over = await asyncio.to_thread(site.drain)
        return ChaosRun(
            options,
            began,
            calmed,
            settled_s,
            completed,
            back_s,
            self._blows,
            self._names,
            decisions,
            audit,
            self._changed,
            workers,
            orphans,
            unborn,
            state,
            left_over,
            histories,
            read_ledger(site.ledger),
            effects(site.ledger),
        )

    async def _load(self, client: Client, over: asyncio.Event) -> None:
        """Start workflows all the time; what the server may or may not have heard is said again under the same id."""
        chance = random.Random(self._options.seed + 1)
        while not over.is_set():
            name = f"chaos-{len(self._names):06d}"
            seconds = self._options.longest_s * chance.uniform(0.25, 1)
            while True:
                try:
                    await client.start_workflow(
                        Errand.run,
                        args=[seconds, 5.0],
                        id=name,
                        task_queue=self._site.queue,
                        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                        rpc_timeout=timedelta(seconds=5),
                    )
                except WorkflowAlreadyStartedError:
                    pass
                except RPCError:
                    await asyncio.sleep(0.3)
                    continue
                self._names.append(name)
                break
            await asyncio.sleep(chance.expovariate(self._options.rate))

    async def _strike(self, until: float) -> None:
        """Kill one after the other; each kind at least once, if there is time."""
        kinds = {"worker": 55, "manager": 20, "server": 15, "manager held up": 10}
        first = list(kinds)
        self._random.shuffle(first)
        while (left := until - time.time()) > 0:
            await asyncio.sleep(min(left, self._options.every_s * self._random.uniform(0.5, 1.5)))
            if time.time() >= until:
                return
            kind = first.pop() if first else self._random.choices(list(kinds), list(kinds.values()))[0]
            await self._blow(kind)

    async def _blow(self, kind: str) -> None:
        self._blows.note(kind)
        if kind == "worker":
            if pids := sorted(self._site.pids()):
                victim = self._random.choice(pids)
                self._blows.killed.add(victim)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                self._say(f"worker {victim} of {len(pids)} is killed")
        elif kind == "server":
            self._site.server.kill()
            down = self._random.uniform(0.5, 5)
            self._say(f"the server is killed, and comes back after {down:.1f} s")
            await asyncio.sleep(down)
            self._site.server.start()
        else:
            await self._hit_manager(self._pick_manager(), held_up=kind != "manager")

    def _pick_manager(self) -> int:
        """Choose the one that acts, three times of four, or any."""
        holder, chosen = self._records.holder(), self._random.randrange(len(self._managers))
        acting = [n for n, one in enumerate(self._managers) if f":{one.pid}#" in holder]
        return acting[0] if acting and self._random.random() < _ACTING else chosen

    async def _hit_manager(self, number: int, *, held_up: bool) -> None:
        manager = self._managers[number]
        if held_up:
            self._say(f"manager {manager.pid} is held up past its lease")
            manager.send_signal(signal.SIGSTOP)
            await asyncio.sleep(7)
            manager.send_signal(signal.SIGCONT)
            return
        self._say(f"manager {manager.pid} is killed")
        manager.kill()
        manager.wait()
        await asyncio.sleep(self._random.uniform(0, 3))
        self._managers[number] = self._site.start_manager()

    async def _watch(self) -> None:
        """Read what was written meanwhile, and see that managers that gave up are started again, as a service is."""
        told = time.time()
        while True:
            await asyncio.sleep(2)
            for number, manager in enumerate(self._managers):
                if manager.poll() not in {None, -signal.SIGKILL}:
                    self._say(f"manager {manager.pid} ended by itself with status {manager.poll()}")
                    self._blows.note("manager gave up")
                    self._managers[number] = self._site.start_manager()
            self._remember()
            if time.time() - told >= _TELL_EVERY_S:
                told, state = time.time(), self._records.state() or {}
                document = state.get("document", {})
                counts, why = document.get("counts"), str(state.get("why"))[:150]
                delivered = len(effects(self._site.ledger))
                self._say(f"{len(self._names)} started, {delivered} delivered; {state.get('state')}, {counts}: {why}")

    def _remember(self) -> None:
        for table, known in self._seen.items():
            for row in getattr(self._records, table)(max(known, default=0)):
                known[row.number] = row

    def _look_again(self) -> None:
        """Compare what is kept now with what was read while it was written."""
        for table, known in self._seen.items():
            now = {row.number: row for row in getattr(self._records, table)()}
            self._changed += [f"{table} {number}" for number, row in known.items() if now.get(number) != row]

    async def _all_done(self, client: Client) -> None:
        async with asyncio.timeout(self._options.settle_s):
            while True:
                if not await count_open(client, self._site.queue):
                    return
                await asyncio.sleep(_LOOK_S)

    async def _until(self, holds: Callable[[], bool], seconds: float) -> float | None:
        begun = time.time()
        while time.time() - begun < seconds:
            if holds():
                return time.time() - begun
            await asyncio.sleep(_LOOK_S)
        return None

    def _desired(self) -> int:
        return int((self._records.state() or {}).get("desired", -1))

    def _right(self) -> bool:
        """Whether a manager has written lately that the pool is steady at the number that is wanted, and it is so."""
        state = self._records.state()
        if state is None or state["state"] != "steady" or time.time() - state["updated_ms"] / 1000 > 2 * _TELL_EVERY_S:
            return False
        counts = state["document"]["counts"]
        others = counts["starting"] + counts["draining"] + counts["lost"]
        return bool(counts["running"] == state["desired"] == len(self._site.pids()) and not others)
