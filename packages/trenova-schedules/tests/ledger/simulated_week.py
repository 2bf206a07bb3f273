"""A small scheduler of its own, to know what became of every tick; it shares nothing with what it is to try.

Times are seconds since the beginning of the week. Ticks fall on whole minutes; outages, pauses and edits begin and end
between minutes, so that no tick falls into the second of a change.
"""

import heapq
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

WEEK = 7 * 86_400
END = WEEK + 30  # when all is read
MONDAY = datetime(2027, 10, 25, tzinfo=UTC)  # zones in Europe go back on its Sunday
BASE = int(MONDAY.timestamp())
BUFFER = 4


@dataclass(frozen=True)
class Spec:
    """Every so many minutes, or hours of the day in a zone."""

    every: int | None = None
    hours: tuple[int, ...] = ()
    minute: int = 0
    zone: str = "UTC"

    def ticks(self, begin: float, end: float) -> list[int]:
        """Times after begin, up to end, as seconds of the week."""
        if self.every is not None:
            first = int(begin // (self.every * 60)) + 1
            return list(range(first * self.every * 60, int(end) + 1, self.every * 60))
        found = set()
        for day in range(-1, 9):
            date = (MONDAY + timedelta(days=day)).date()
            for hour in self.hours:
                local = datetime(date.year, date.month, date.day, hour, self.minute, tzinfo=ZoneInfo(self.zone))
                found.add(int(local.timestamp()) - BASE)
        return sorted(tick for tick in found if begin < tick <= end)


@dataclass
class Plan:
    """What happens in the week."""

    seed: int
    overlap: str
    edits: list[tuple[float, Spec, int]]  # since when, specification, catch-up window
    outages: list[tuple[float, float]]
    pauses: list[tuple[float, float]]
    look_every: int
    overruns: float
    losses: float
    triggers: list[float] = field(default_factory=list)  # by hand, which the policy skips while a run is under way
    before: tuple[int, int, int] = (0, 0, 0)  # missed, skipped and dropped before the week, under another specification


@dataclass
class Started:
    tick: int
    started: float
    closes: float


@dataclass
class Week:
    """What the scheduler did."""

    truth: dict[int, str] = field(default_factory=dict)
    runs: list[Started] = field(default_factory=list)
    looks: list[tuple[float, int, int, int, int]] = field(default_factory=list)


class Scheduler:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.week = plan, Week()
        self.random = random.Random(plan.seed)
        self.missed, self.skipped, self.dropped = plan.before
        self.running: Started | None = None
        self.buffer: list[int] = []
        self.events: list = []
        self.order = count()

    def run(self) -> Week:
        for begin, (since, spec, _) in enumerate(self.plan.edits):
            until = self.plan.edits[begin + 1][0] if begin + 1 < len(self.plan.edits) else WEEK
            for tick in spec.ticks(since, until):
                self.at(self.up(tick), "tick", tick)
        for look in range(self.plan.look_every, WEEK, self.plan.look_every):
            if self.up(look + 50) == look + 50:
                self.at(look + 50, "look", None)
        for trigger in self.plan.triggers:
            self.at(self.up(trigger), "trigger", trigger)
        while self.events and self.events[0][0] <= END:
            self.happen(*heapq.heappop(self.events))
        self.look(END)
        for tick in self.buffer:
            self.week.truth[tick] = "pending"
        return self.week

    def happen(self, now, _, kind, subject):
        if kind == "tick":
            batch = [subject]
            while self.events and self.events[0][0] == now and self.events[0][2] == "tick":
                batch.append(heapq.heappop(self.events)[3])
            self.due(sorted(batch), now)
        elif kind == "look":
            self.look(now)
        elif kind == "trigger":
            self.trigger(subject, now)
        elif subject is self.running and subject.closes == now:
            self.running = None
            self.next(now)

    def at(self, when, kind, subject):
        heapq.heappush(self.events, (when, next(self.order), kind, subject))

    def up(self, when):
        return next((end for begin, end in self.plan.outages if begin <= when <= end), when)

    def look(self, now):
        self.week.looks.append((now, self.missed, self.skipped, self.dropped, len(self.buffer)))

    def paused(self, now):
        return any(begin < now < end for begin, end in self.plan.pauses)

    def catchup(self, tick):
        return [window for since, _, window in self.plan.edits if since < tick][-1]

    def due(self, ticks, now):
        ready = []
        for tick in ticks:
            if self.paused(now):
                self.week.truth[tick] = "paused"
            elif now - tick > self.catchup(tick):
                self.missed += 1
                self.week.truth[tick] = "missed_catchup"
            else:
                ready.append(tick)
        if self.plan.overlap in {"cancel", "terminate"}:
            for tick in ready[:-1]:
                self.week.truth[tick] = "skipped_overlap"
            ready = ready[-1:]
        for tick in ready:
            self.take(tick, now)

    def take(self, tick, now):
        policy = self.plan.overlap
        if policy == "allow" or self.running is None:
            self.start(tick, now, waited=False)
        elif policy == "skip" or (policy == "one" and self.buffer):
            self.skipped += 1
            self.week.truth[tick] = "skipped_overlap"
        elif policy == "all" and len(self.buffer) >= BUFFER:
            self.dropped += 1
            self.week.truth[tick] = "dropped_buffer"
        elif policy in {"one", "all"}:
            self.buffer.append(tick)
        else:
            for replaced in self.buffer:
                self.week.truth[replaced] = "skipped_overlap"
            self.buffer = [tick]
            wait = 0.1 if policy == "terminate" else self.random.uniform(1, 150)
            self.close(self.running, min(self.running.closes, self.after_outage(now + wait)))

    def trigger(self, asked, now):
        if self.plan.overlap != "skip":
            return  # how the others take a trigger is no news to a ledger: it has a run, or waits as a tick does
        if self.running is not None:
            self.skipped += 1
        else:
            self.begin(asked, now)

    def next(self, now):
        while self.buffer and self.running is None:
            tick = self.buffer.pop(0)
            if self.paused(now):
                self.week.truth[tick] = "paused"
            else:
                self.start(tick, now + self.random.uniform(0, 1), waited=True)

    def start(self, tick, now, *, waited):
        if not waited and self.random.random() < self.plan.losses:
            self.week.truth[tick] = "real_miss"
            return
        started = self.begin(tick, now)
        delay = started - tick
        late = "late" if delay > 60 else "on_time"
        self.week.truth[tick] = "delayed_overlap" if waited and delay > 1.5 else late

    def begin(self, tick, now):
        started = now + self.random.uniform(0.05, 0.4)
        long = self.random.random() < self.plan.overruns
        lasts = self.random.uniform(600, 20_000) if long else self.random.uniform(0.5, 40)
        run = Started(tick, started, 0)
        self.week.runs.append(run)
        if self.plan.overlap != "allow":
            self.running = run
        self.close(run, self.after_outage(started + lasts))
        return started

    def close(self, run, when):
        run.closes = when
        self.at(when, "close", run)

    def after_outage(self, when):
        end = self.up(when)
        return when if end == when else end + self.random.uniform(1, 30)
